"""Copies of the real model with noise in one weight matrix, held to the calibrated smoke test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from dr_lib.clock import monotonic
from dr_lib.model.smoke import Tolerance
from dr_lib.standby.smoke.model_probe import check
from dr_lib.standby.smoke.weights import CHECK

WEIGHTS = "model.safetensors"
LOADER = "sentence-transformers"


@dataclass(frozen=True)
class Seen:
    """What the smoke test said of one damaged copy: the names of the checks that failed, and how far it strayed."""

    matrix: str
    failed: tuple[str, ...]
    difference: str
    allowed: str

    @property
    def by_answers(self) -> bool:
        """Whether the answers alone gave it away."""
        return bool(set(self.failed) - {CHECK})


def matrices(live: Path) -> list[str]:
    """The names of all weight matrices of the model in `live`, the embeddings among them."""
    return [name for name, tensor in load_file(live / WEIGHTS).items() if tensor.ndim == 2 and tensor.dtype.kind == "f"]


def with_noise(live: Path, copy: Path, name: str, share: float) -> None:
    """A copy of the model with noise of that share of its norm in one matrix; `live` is left alone."""
    shutil.copytree(live, copy, copy_function=os.link)
    tensors = load_file(copy / WEIGHTS)
    noise = np.random.default_rng(list(name.encode())).standard_normal(tensors[name].shape)
    noise *= share * np.linalg.norm(tensors[name]) / np.linalg.norm(noise)
    tensors[name] = (tensors[name] + noise).astype(tensors[name].dtype)
    (copy / WEIGHTS).unlink()
    save_file(tensors, copy / WEIGHTS, metadata={"format": "pt"})


def smoke_here(directory: Path, attachments: Path) -> dict[str, Any]:
    """The smoke test as its process does it, in this one: hundreds of copies need no hundred starts."""
    paths = {"directory": str(directory), "attachments": str(attachments)}
    return check({**paths, "loader": LOADER, "tolerance": asdict(Tolerance()), "started": monotonic()})


def look_at(live: Path, attachments: Path, folder: Path, names: list[str], share: float) -> Iterator[Seen]:
    """Each of the matrices in its turn."""
    for name in names:
        copy = folder / "noisy"
        with_noise(live, copy, name, share)
        checks = {one["name"]: one for one in smoke_here(copy, attachments)["checks"]}
        strayed = checks["greatest difference"]
        failed = tuple(name for name, one in checks.items() if not one["passed"])
        yield Seen(name, failed, strayed["measured"], strayed["required"])
        shutil.rmtree(copy)

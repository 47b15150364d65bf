"""Loader `safetensors`: no architecture is known, so nothing is asked: every tensor is read, and described.

It shows that the weights are there, readable and the recorded ones, and nothing about inference: a drill says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open

from dr_lib.standby.smoke.loaders.base import Rows
from dr_lib.standby.smoke.loaders.on_torch import tensor_bytes


class Tensors:
    """All safetensors files below a directory, one tensor in memory at a time."""

    accelerator = "cpu"

    def __init__(self, directory: Path) -> None:
        """Open every file."""
        self._directory = directory
        self._files = sorted(directory.rglob("*.safetensors"))
        self.parameters = sum(tensor.numel() for _, tensor in self._tensors())

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """Norm, mean and greatest element of every tensor, the same for each input."""
        row = [fact for _, tensor in self._tensors() for fact in _facts(tensor)]
        return np.tile(np.asarray(row, dtype=np.float32), (len(inputs), 1))

    def weights(self) -> Iterator[tuple[str, str, Any]]:
        """Every tensor, named by its file and its name there."""
        yield from tensor_bytes(self._tensors())

    def peak_gpu_bytes(self) -> int:
        """None is used."""
        return 0

    def _tensors(self) -> Iterator[tuple[str, Any]]:
        for path in self._files:
            with safe_open(path, framework="pt") as file:
                for name in sorted(file.keys()):
                    yield f"{path.relative_to(self._directory).as_posix()}/{name}", file.get_tensor(name)


def _facts(tensor: Any) -> tuple[float, float, float]:
    values = tensor.to(torch.float64)
    if not values.numel():
        return 0.0, 0.0, 0.0
    return float(torch.linalg.vector_norm(values)), float(values.mean()), float(values.abs().max())

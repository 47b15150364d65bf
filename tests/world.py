"""A small world for tests of the whole path: two regions on local disks, one asset, one runtime over them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from dr_lib.runtime import Runtime
from dr_lib.storage.opening import open_store
from dr_lib.vault.opening import open_vault
from dr_lib.vault.vault import Vault
from dr_lib.wiring import StoreRef

ASSET = "thing"


@dataclass(frozen=True)
class World:
    """`source` is the live tree, `regions` the directories that hold the vaults."""

    folder: Path
    source: Path
    regions: dict[str, Path]
    runtime: Runtime

    def vault(self, region: str) -> Vault:
        """The vault of a region."""
        store = open_store(StoreRef(f"file://{self.regions[region]}"), region, environ={})
        return open_vault(region, store, self.runtime._wiring.keys)

    def packs(self, region: str) -> list[Path]:
        """The pack files of a region, the largest first."""
        found = [path for path in (self.regions[region] / "packs").rglob("*") if path.is_file()]
        return sorted(found, key=lambda path: -path.stat().st_size)

    def manifests(self, region: str) -> list[Path]:
        """The manifest files of a region, sorted."""
        return sorted((self.regions[region] / "points").rglob("*.manifest"))

    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "dr.yaml"


def make_world(folder: Path, names: tuple[str, ...] = ("one", "two"), **more: Any) -> World:
    """Vaults in `folder` under the given region names, initialised; the source is an empty directory."""
    source = folder / "source"
    source.mkdir(parents=True)
    regions = {name: folder / f"vault {name}" for name in names}
    environ = {"DR_STANDBY_DIR": str(folder / "standby")} | more.pop("environ", {})
    asset = {"kind": "model", "source": str(source), "regions": list(names)} | more.pop("asset", {})
    config = {
        "version": 1,
        "encryption": "none",
        "regions": {name: {"url": f"file://{path}"} for name, path in regions.items()},
        "assets": {ASSET: asset},
    } | more
    (folder / "dr.yaml").write_text(json.dumps(config))
    runtime = Runtime.load(folder / "dr.yaml", environ=environ)
    runtime.initialize()
    return World(folder, source, regions, runtime)


def weights(path: Path, seed: int = 0, **tensors: Any) -> None:
    """A safetensors file with the given arrays, or with a matrix, a vector, a scalar and a tensor of no elements."""
    random = np.random.default_rng(seed)
    save_file(
        tensors
        or {
            "matrix": random.standard_normal((700, 500), dtype=np.float32),
            "vector": random.standard_normal(33).astype(np.float16),
            "scalar": np.array(4.5, dtype=np.float32),
            "nothing": np.zeros((0, 7), dtype=np.int64),
        },
        path,
    )


def tree(root: Path) -> dict[str, tuple[Any, ...]]:
    """Everything that a restore must bring back, by path: kind, mode, mtime and bytes or link text."""
    paths = [root]
    for folder, folders, files in os.walk(root):
        paths += [Path(folder) / name for name in (*folders, *files)]
    return {str(path.relative_to(root)): _facts(path) for path in paths}


def _facts(path: Path) -> tuple[Any, ...]:
    facts = path.lstat()
    if path.is_symlink():
        return ("link", facts.st_mtime_ns, str(path.readlink()))
    if path.is_dir():
        return ("directory", oct(facts.st_mode), facts.st_mtime_ns)
    return ("file", oct(facts.st_mode), facts.st_mtime_ns, path.read_bytes())


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """Rewrite a file that a store made read-only or not, keeping its name."""
    path.chmod(0o600)
    path.write_bytes(edit(path.read_bytes()))


def flip(data: bytes, at: int | None = None) -> bytes:
    """`data` with one bit turned, in the middle when no place is named."""
    place = len(data) // 2 if at is None else at % len(data)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

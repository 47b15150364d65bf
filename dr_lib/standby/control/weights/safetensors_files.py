"""All safetensors files below a directory. Changed tensors are written over the old ones, where they lie."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open

from dr_lib.standby.control.copies import link_all
from dr_lib.standby.control.weights.base import Changes, Named
from dr_lib.standby.smoke.loaders.on_torch import tensor_bytes

_FLOATS: Final = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a tensor begins: a file, its name in there, and bytes from the file's start."""

    file: str
    name: str
    offset: int


class SafetensorsFiles:
    """The tensors of all files, by `FILE:NAME`."""

    def __init__(self, directory: Path, files: list[Path]) -> None:
        """Read the headers of `files`, which a loader has accepted."""
        self._directory = directory
        self._places: dict[str, _Place] = {}
        found: list[Named] = []
        for path in files:
            file = path.relative_to(directory).as_posix()
            start, header = _header(path)
            for name, facts in sorted(header.items()):
                key = f"{file}:{name}"
                self._places[key] = _Place(file, name, start + facts["data_offsets"][0])
                found.append(Named(key, name, facts["dtype"], tuple(facts["shape"]), facts["dtype"] in _FLOATS))
        self.tensors = tuple(found)

    def read(self, key: str) -> torch.Tensor:
        """One tensor, copied out of its file."""
        place = self._places[key]
        with safe_open(self._directory / place.file, framework="pt") as file:
            found: torch.Tensor = file.get_tensor(place.name).clone()
        return found

    def write(self, copy: Path, changes: Changes) -> None:
        """Links, and copies of the files in which something changes. `OSError` when there is no room for these."""
        by_file: dict[str, list[str]] = defaultdict(list)
        for key in changes:
            by_file[self._places[key].file].append(key)
        link_all(self._directory, copy, by_file)
        for file, keys in by_file.items():
            shutil.copyfile(self._directory / file, copy / file)
            with (copy / file).open("r+b") as stream:
                for key in keys:
                    stream.seek(self._places[key].offset)
                    stream.write(_bytes(changes[key]()))


def _bytes(tensor: torch.Tensor) -> memoryview:
    ((_, _, data),) = tensor_bytes([("", tensor)])
    return memoryview(data)


def _header(path: Path) -> tuple[int, dict[str, Any]]:
    """Where the data begins, and the tensors by name."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    return 8 + length, header

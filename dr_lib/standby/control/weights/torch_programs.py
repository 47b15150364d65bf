"""TorchScript and exported programs: read, changed and written by torch itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from dr_lib.standby.control.copies import link_all
from dr_lib.standby.control.weights.base import Changes, Named
from dr_lib.standby.smoke.loaders.exported import read_exported, read_script
from dr_lib.standby.smoke.loaders.files import the_one


class ScriptFile:
    """The one TorchScript file below a directory."""

    def __init__(self, directory: Path) -> None:
        """Read it once to learn what it holds."""
        self._directory = directory
        self._path = the_one(directory, ".pt", ".ts")
        self.tensors = _named(read_script(self._path, "cpu").state_dict())

    def read(self, key: str) -> torch.Tensor:
        """One tensor."""
        return _tensor(read_script(self._path, "cpu").state_dict(), key)

    def write(self, copy: Path, changes: Changes) -> None:
        """Links, and the program saved anew."""
        module = read_script(self._path, "cpu")
        _put(module.state_dict(), changes)
        torch.jit.save(module, str(_place(self._directory, self._path, copy)))


class ExportedFile:
    """The one exported program below a directory."""

    def __init__(self, directory: Path) -> None:
        """Read it once to learn what it holds."""
        self._directory = directory
        self._path = the_one(directory, ".pt2")
        self.tensors = _named(read_exported(self._path).state_dict)

    def read(self, key: str) -> torch.Tensor:
        """One tensor."""
        return _tensor(read_exported(self._path).state_dict, key)

    def write(self, copy: Path, changes: Changes) -> None:
        """Links, and the program saved anew."""
        program = read_exported(self._path)
        _put(program.state_dict, changes)
        torch.export.save(program, str(_place(self._directory, self._path, copy)))


def _named(state: Mapping[str, Any]) -> tuple[Named, ...]:
    return tuple(
        Named(name, name, str(tensor.dtype), tuple(tensor.shape), tensor.is_floating_point())
        for name, tensor in sorted(state.items())
        if isinstance(tensor, torch.Tensor)
    )


def _tensor(state: Mapping[str, Any], key: str) -> torch.Tensor:
    found: torch.Tensor = state[key].detach().cpu().clone()
    return found


def _put(state: Mapping[str, Any], changes: Changes) -> None:
    with torch.no_grad():
        for key, make in changes.items():
            state[key].data.copy_(make())


def _place(directory: Path, path: Path, copy: Path) -> Path:
    name = path.relative_to(directory).as_posix()
    link_all(directory, copy, {name})
    return copy / name

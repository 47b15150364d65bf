"""Loaders `torchscript` (one .pt or .ts file) and `torch-export` (one .pt2 file): programs of torch's own operators.

TorchScript is read by torch's own reader in C++, which makes tensors and no Python objects. An exported program may
hold pickled Python objects, which can run code: those are refused, and its tensors are read with `weights_only`
(TORCH_FORCE_WEIGHTS_ONLY_LOAD is set for every smoke test). An input is an array (nested lists of numbers), or an
object of arrays by argument name, exactly as the program takes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn
from unittest import mock

import numpy as np
import torch
from torch.export import pt2_archive

from dr_lib.errors import Refused
from dr_lib.standby.smoke.loaders.base import Rows
from dr_lib.standby.smoke.loaders.files import the_one
from dr_lib.standby.smoke.loaders.on_torch import DEVICE, OnTorch, row_of


class TorchScript(OnTorch):
    """The one TorchScript file below a directory."""

    def __init__(self, directory: Path) -> None:
        """`IntegrityError` when there is none, or several."""
        super().__init__(read_script(the_one(directory, ".pt", ".ts"), DEVICE).eval())

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """One row an input, each asked alone."""
        with torch.inference_mode():
            return np.stack([row_of(self._ask(one)) for one in inputs])

    def _ask(self, one: Any) -> Any:
        if isinstance(one, dict):
            return self.module(**{name: _tensor(value) for name, value in one.items()})
        return self.module(_tensor(one))


class ExportedProgram(OnTorch):
    """The one exported program below a directory."""

    def __init__(self, directory: Path) -> None:
        """`IntegrityError` when there is none, or several; `Refused` when it holds pickled objects."""
        program = read_exported(the_one(directory, ".pt2"))
        super().__init__(program.module())
        self._names = tuple(program.graph_signature.user_inputs)

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """One row an input, each asked alone."""
        with torch.inference_mode():
            return np.stack([row_of(self.module(*self._arguments(one))) for one in inputs])

    def _arguments(self, one: Any) -> list[Any]:
        return [_tensor(one[name]) for name in self._names] if isinstance(one, dict) else [_tensor(one)]


def read_script(path: Path, device: str) -> Any:
    """The TorchScript program in a file."""
    read: Any = torch.jit.load
    return read(str(path), map_location=device)


def read_exported(path: Path) -> Any:
    """The exported program in a file; `Refused` when it holds pickled objects."""
    with _no_pickles():
        return torch.export.load(str(path))


def _tensor(value: Any) -> torch.Tensor:
    found = torch.as_tensor(value)
    return (found.float() if found.is_floating_point() else found).to(DEVICE)


@contextmanager
def _no_pickles() -> Iterator[None]:
    package = pt2_archive._package  # noqa: SLF001 - torch has no switch for what it unpickles there
    weights_only = mock.patch.dict(os.environ, {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"})
    with mock.patch.object(package, "pickle", SimpleNamespace(loads=_refuse, load=_refuse)), weights_only:
        yield


def _refuse(*_: object, **__: object) -> NoReturn:
    raise Refused("refused to load it: pickled objects can run code; export the program without them")

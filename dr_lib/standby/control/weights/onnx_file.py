"""The one ONNX file below a directory: its initialisers, read, changed and written by the library `onnx`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import onnx
import torch
from onnx import TensorProto, numpy_helper

from dr_lib.standby.control.copies import link_all
from dr_lib.standby.control.weights.base import Changes, Named
from dr_lib.standby.smoke.loaders.files import the_one

_FLOATS: Final = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE})


class OnnxFile:
    """Tensors that lie in the file itself; those beside it, in files of external data, are not looked at."""

    def __init__(self, directory: Path) -> None:
        """Read it once to learn what it holds."""
        self._directory = directory
        self._path = the_one(directory, ".onnx")
        self.tensors = tuple(_named(one) for one in _within(self._load()))

    def read(self, key: str) -> torch.Tensor:
        """One tensor."""
        (found,) = (one for one in _within(self._load()) if one.name == key)
        return torch.from_numpy(numpy_helper.to_array(found).copy())

    def write(self, copy: Path, changes: Changes) -> None:
        """Links, and the file saved anew."""
        model = self._load()
        for one in _within(model):
            if one.name in changes:
                one.CopyFrom(numpy_helper.from_array(changes[one.name]().numpy(), one.name))
        name = self._path.relative_to(self._directory).as_posix()
        link_all(self._directory, copy, {name})
        onnx.save(model, str(copy / name))

    def _load(self) -> Any:
        return onnx.load(str(self._path), load_external_data=False)


def _within(model: Any) -> list[Any]:
    return [one for one in model.graph.initializer if one.data_location != TensorProto.EXTERNAL]


def _named(one: Any) -> Named:
    kind = TensorProto.DataType.Name(one.data_type)
    return Named(one.name, one.name, kind, tuple(one.dims), one.data_type in _FLOATS)

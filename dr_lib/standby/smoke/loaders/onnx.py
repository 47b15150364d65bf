"""Loader `onnxruntime`: one .onnx file. Its runtime hides the weights, so the answers alone are compared.

An input is an object of arrays by input name, or an array for a model that takes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime

from dr_lib.standby.smoke.loaders.base import Rows
from dr_lib.standby.smoke.loaders.files import the_one

_CUDA: Final = "CUDAExecutionProvider"
_TYPES: Final = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


class OnnxModel:
    """The one ONNX file below a directory."""

    parameters = 0

    def __init__(self, directory: Path) -> None:
        """`IntegrityError` when there is none, or several."""
        there = onnxruntime.get_available_providers()
        providers = [name for name in (_CUDA, "CPUExecutionProvider") if name in there]
        self._session: Any = onnxruntime.InferenceSession(str(the_one(directory, ".onnx")), providers=providers)
        self._types = {one.name: _TYPES.get(one.type, np.float32) for one in self._session.get_inputs()}
        self.accelerator = "cuda" if self._session.get_providers()[0] == _CUDA else "cpu"

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """One row an input, each asked alone: its first output."""
        return np.stack([self._row(one) for one in inputs])

    def weights(self) -> Iterator[tuple[str, str, Any]]:
        """Nothing: the runtime has folded them into its own form."""
        yield from ()

    def peak_gpu_bytes(self) -> int:
        """Not told by the runtime."""
        return 0

    def _row(self, one: Any) -> Rows:
        named = one if isinstance(one, dict) else {next(iter(self._types)): one}
        fed = {name: np.asarray(value, dtype=self._types.get(name)) for name, value in named.items()}
        return np.asarray(self._session.run(None, fed)[0], dtype=np.float32).reshape(-1)

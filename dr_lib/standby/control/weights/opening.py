"""Which form the weights of a model have."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from dr_lib.standby.control.trial import Inapplicable
from dr_lib.standby.control.weights.base import Weights

_BY_LOADER: Final = {
    "torchscript": ("torch_programs", "ScriptFile"),
    "torch-export": ("torch_programs", "ExportedFile"),
    "onnxruntime": ("onnx_file", "OnnxFile"),
}


def weights_of(loader: str, directory: Path) -> Weights:
    """The weights that `loader` reads from `directory`; of an owner's own loader, the safetensors files that lie there.

    Raises `Inapplicable` where there is no form in which a copy could be damaged.
    """
    if loader in _BY_LOADER:
        return _of_library(*_BY_LOADER[loader], directory)
    files = sorted(directory.rglob("*.safetensors"))
    if not files:
        raise Inapplicable(f"the loader {loader} reads a form of weights that cannot be damaged on purpose here")
    return _of_library("safetensors_files", "SafetensorsFiles", directory, files)


def _of_library(module: str, name: str, *arguments: Any) -> Weights:
    try:
        kind: Any = getattr(import_module(f"dr_lib.standby.control.weights.{module}"), name)
    except ImportError as error:
        raise Inapplicable(f"a library to damage a copy with is not here: {error}") from error
    found: Weights = kind(*arguments)
    return found

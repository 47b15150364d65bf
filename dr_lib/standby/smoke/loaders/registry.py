"""Loaders by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from dr_lib.errors import UsageError
from dr_lib.model.smoke import is_own_loader
from dr_lib.standby.smoke.loaders.base import LoadedModel

_PLACES: Final = {
    "sentence-transformers": ("sentence", "SentenceModel"),
    "transformers": ("transformer", "TransformerModel"),
    "safetensors": ("generic", "Tensors"),
    "torchscript": ("exported", "TorchScript"),
    "torch-export": ("exported", "ExportedProgram"),
    "onnxruntime": ("onnx", "OnnxModel"),
}


def load(loader: str, directory: Path) -> LoadedModel:
    """Load the model in `directory`; whatever its library raises passes through."""
    if is_own_loader(loader):
        from dr_lib.standby.smoke.loaders.own import OwnModel

        return OwnModel(loader, directory)
    if loader not in _PLACES:
        raise UsageError(f"no smoke loader is called {loader!r}")
    module, name = _PLACES[loader]
    kind: Any = getattr(import_module(f"dr_lib.standby.smoke.loaders.{module}"), name)
    model: LoadedModel = kind(directory)
    return model

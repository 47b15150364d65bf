"""Loaders: from a restored directory to something that answers. Only local files, only safetensors, no remote code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dr_lib.errors import UsageError

Rows = npt.NDArray[np.float32]


class LoadedModel(Protocol):
    """A model ready to answer. `accelerator` is `cpu` or the GPU's name."""

    accelerator: str
    parameters: int

    def answer(self, inputs: list[str]) -> Rows:
        """One row of float32 per input, computed as one batch."""
        ...

    def peak_gpu_bytes(self) -> int:
        """Greatest GPU memory held so far; 0 on a CPU."""
        ...


def load(loader: str, directory: Path) -> LoadedModel:
    """Load the model in `directory`; whatever its library raises passes through."""
    if loader == "sentence-transformers":
        return _SentenceModel(directory)
    raise UsageError(f"no smoke loader is called {loader!r}")


class _SentenceModel:
    def __init__(self, directory: Path) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        self._cuda = torch.cuda if torch.cuda.is_available() else None
        self._model: Any = SentenceTransformer(
            str(directory),
            device="cpu" if self._cuda is None else "cuda",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
        self.accelerator = "cpu" if self._cuda is None else str(self._cuda.get_device_name(0))
        self.parameters = sum(parameter.numel() for parameter in self._model.parameters())

    def answer(self, inputs: list[str]) -> Rows:
        rows = self._model.encode(inputs, batch_size=len(inputs), show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(rows, dtype=np.float32)

    def peak_gpu_bytes(self) -> int:
        return 0 if self._cuda is None else int(self._cuda.max_memory_allocated())

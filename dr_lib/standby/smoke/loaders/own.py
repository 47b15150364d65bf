"""A loader of the asset's owner: `module:function`, importable where the smoke test runs.

The function gets the directory and gives back a callable from a list of inputs to rows, or an object with such an
`answer`; its `weights`, `accelerator`, `parameters` and `peak_gpu_bytes` count when it has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from dr_lib.errors import UsageError
from dr_lib.standby.smoke.loaders.base import Rows


class OwnModel:
    """What the owner's function gave."""

    def __init__(self, loader: str, directory: Path) -> None:
        """`UsageError` when there is no such function here; what it raises passes through."""
        module, _, name = loader.partition(":")
        try:
            function = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            hint = "install it where the smoke test runs"
            raise UsageError(f"the loader {loader} is not here: {error}", hint=hint) from error
        self._model: Any = function(directory)
        self.accelerator = str(getattr(self._model, "accelerator", "cpu"))
        self.parameters = int(getattr(self._model, "parameters", 0))

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """What it answers, as float32 rows; `UsageError` when that is no row an input."""
        asked = getattr(self._model, "answer", self._model)
        rows = np.asarray(asked(list(inputs)), dtype=np.float32)
        if rows.ndim < 1 or len(rows) != len(inputs):
            raise UsageError(f"the loader answered {len(inputs)} inputs with the shape {rows.shape}")
        return rows.reshape(len(inputs), -1)

    def weights(self) -> Iterator[tuple[str, str, Any]]:
        """Its own, when it shows them."""
        shown = getattr(self._model, "weights", None)
        yield from () if shown is None else shown()

    def peak_gpu_bytes(self) -> int:
        """Its own count, else 0."""
        count = getattr(self._model, "peak_gpu_bytes", None)
        return 0 if count is None else int(count())

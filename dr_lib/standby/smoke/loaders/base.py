"""What every loader gives back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]


class LoadedModel(Protocol):
    """A model ready to answer. `accelerator` is `cpu` or the GPU's name."""

    accelerator: str
    parameters: int

    def answer(self, inputs: Sequence[Any]) -> Rows:
        """One row of float32 per input, computed as one batch where the model takes batches."""
        ...

    def weights(self) -> Iterator[tuple[str, str, Any]]:
        """Name, type and bytes of every tensor in memory, one at a time; nothing where the runtime hides them."""
        ...

    def peak_gpu_bytes(self) -> int:
        """Greatest GPU memory held so far; 0 on a CPU."""
        ...

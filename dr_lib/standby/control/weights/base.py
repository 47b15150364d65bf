"""What every form of stored weights gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch

Changes = Mapping[str, "Callable[[], torch.Tensor]"]
"""New tensors by key, each made when it is written, so that one at a time is in memory."""


@dataclass(frozen=True, slots=True)
class Named:
    """One tensor. `key` is its name among all of the model, `name` that within its file."""

    key: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    is_float: bool

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count


class Weights(Protocol):
    """Stored weights. Nothing here changes what is stored."""

    tensors: tuple[Named, ...]

    def read(self, key: str) -> torch.Tensor:
        """One tensor, on the CPU."""
        ...

    def write(self, copy: Path, changes: Changes) -> None:
        """Make `copy`, which does not exist, the same model but for these tensors, of the same dtypes and shapes."""
        ...

"""Counts the numbers of a tensor while its bytes pass by, a block that fits the processor's cache at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dr_lib.model.manifest import TensorStats

BLOCK: Final = 64 << 10
"""Numbers that are looked at together."""
_KINDS: Final = {
    "BOOL": "u1", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_FLOATS: Final = {"F16", "BF16", "F32", "F64"}


@dataclass(slots=True)
class Tally:
    """Minimum, maximum, sum and norm of the finite numbers of one dtype so far, and how many others there were.

    `dtype` is a safetensors name. Sums of floats are taken in 32 bits within a block, in 64 beyond.
    """

    dtype: str
    finite: int = 0
    total: float = 0.0
    squares: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    nan: int = 0
    inf: int = 0

    def feed(self, data: memoryview) -> None:
        """Take the next whole numbers; nothing for a dtype whose numbers are not read."""
        kind = _KINDS.get(self.dtype)
        if kind is None:
            return
        numbers = np.frombuffer(data, kind)
        wide = np.empty(min(BLOCK, len(numbers)), np.uint32) if self.dtype == "BF16" else None
        for at in range(0, len(numbers), BLOCK):
            self._count(self._values(numbers[at : at + BLOCK], wide))

    def stats(self) -> TensorStats | None:
        """What was counted; None for a dtype whose numbers are not read."""
        if self.dtype not in _KINDS:
            return None
        mean = self.total / self.finite if self.finite else None
        return TensorStats(self.minimum, self.maximum, mean, self.nan, self.inf, self._norm())

    def _norm(self) -> float | None:
        """To six digits: that many are the same however a processor adds up."""
        is_float = self.dtype in _FLOATS and math.isfinite(self.squares)
        return float(f"{math.sqrt(self.squares):.6g}") if is_float else None

    def _values(self, block: NDArray[Any], wide: NDArray[np.uint32] | None) -> NDArray[Any]:
        """The block as numbers that the processor computes with: 16-bit floats are widened."""
        if wide is not None:
            room = wide[: len(block)]
            room[...] = block
            np.left_shift(room, 16, out=room)
            return room.view(np.float32)
        return block.astype(np.float32) if self.dtype == "F16" else block

    def _count(self, block: NDArray[Any]) -> None:
        low, high = float(block.min()), float(block.max())
        if not (math.isfinite(low) and math.isfinite(high)):  # a NaN is the minimum and maximum of what it is in
            self.nan += int(np.isnan(block).sum())
            self.inf += int(np.isinf(block).sum())
            block = block[np.isfinite(block)]
            if not block.size:
                return
            low, high = float(block.min()), float(block.max())
        self.minimum = low if self.minimum is None else min(self.minimum, low)
        self.maximum = high if self.maximum is None else max(self.maximum, high)
        self.total += _sum(block)
        if self.dtype in _FLOATS:
            self.squares += _squares(block)
        self.finite += len(block)


def _sum(block: NDArray[Any]) -> float:
    if block.dtype == np.float32:
        with np.errstate(over="ignore"):
            total = float(block.sum())
        if math.isfinite(total):
            return total
    with np.errstate(over="ignore"):  # of 64-bit floats the sum may overflow; a mean that is not finite is not kept
        return float(block.sum(dtype=np.float64))


def _squares(block: NDArray[Any]) -> float:
    """Not by BLAS, whose own threads would get in the way of the workers'."""
    with np.errstate(over="ignore"):
        squares = float(np.einsum("i,i->", block, block))
    if math.isfinite(squares) or block.dtype != np.float32:
        return squares
    wide = block.astype(np.float64)
    return float(np.einsum("i,i->", wide, wide))

"""Measures tensors while their bytes pass by: digest and statistics, without a second read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from dr_lib.model.manifest import TensorEntry, TensorStats
from dr_lib.sources.base import TensorSpan

_NUMPY: Final = {
    "BOOL": "u1", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip


@dataclass(slots=True)
class _Running:
    """One tensor of which a part has passed."""

    tensor: TensorSpan
    hasher: Any = field(default_factory=blake3)
    seen: int = 0
    finite: int = 0
    total: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    nan: int = 0
    inf: int = 0

    @property
    def is_done(self) -> bool:
        return self.seen >= self.tensor.length

    def feed(self, data: memoryview) -> None:
        self.hasher.update(data)
        self.seen += len(data)
        numbers = _numbers(self.tensor.dtype, data)
        if numbers is not None and numbers.size:
            self._count(numbers)

    def _count(self, numbers: NDArray[Any]) -> None:
        if numbers.dtype.kind == "f":
            numbers = self._only_finite(numbers)
        if not numbers.size:
            return
        low, high = float(numbers.min()), float(numbers.max())
        self.minimum = low if self.minimum is None else min(self.minimum, low)
        self.maximum = high if self.maximum is None else max(self.maximum, high)
        self.total += float(numbers.sum(dtype=np.float64))
        self.finite += int(numbers.size)

    def _only_finite(self, numbers: NDArray[Any]) -> NDArray[Any]:
        finite = np.isfinite(numbers)
        if finite.all():
            return numbers
        self.nan += int(np.isnan(numbers).sum())
        self.inf += int(np.isinf(numbers).sum())
        kept: NDArray[Any] = numbers[finite]
        return kept

    def entry(self, file: str) -> TensorEntry:
        t, digest = self.tensor, self.hasher.digest()
        return TensorEntry(file, t.name, t.dtype, t.shape, t.offset, t.length, digest, self._stats())

    def _stats(self) -> TensorStats | None:
        if self.tensor.dtype != "BF16" and self.tensor.dtype not in _NUMPY:
            return None
        mean = self.total / self.finite if self.finite else None
        return TensorStats(self.minimum, self.maximum, mean, self.nan, self.inf)


class TensorMeter:
    """Fed the bytes of a file in order, gives each tensor's entry when its last byte has passed.

    `tensors` are the file's tensors that lie wholly within the bytes that will be fed, sorted by offset; some may
    share bytes, as tied weights do. Bytes between tensors (a header) are ignored. Not for use from several threads.
    """

    def __init__(self, file: str, tensors: tuple[TensorSpan, ...]) -> None:
        """`file` is the path that the entries will name."""
        self._file = file
        self._waiting = list(reversed([_Running(tensor) for tensor in tensors]))
        self._open: list[_Running] = []

    def feed(self, offset: int, data: bytes) -> Iterator[TensorEntry]:
        """Take the bytes that stand at `offset`; yields the tensors that they complete."""
        view, end = memoryview(data), offset + len(data)
        while self._waiting and self._waiting[-1].tensor.offset <= end:
            self._open.append(self._waiting.pop())
        for running in self._open:
            start = max(running.tensor.offset, offset)
            stop = min(running.tensor.offset + running.tensor.length, end)
            if start < stop:
                running.feed(view[start - offset : stop - offset])
        yield from (running.entry(self._file) for running in self._open if running.is_done)
        self._open = [running for running in self._open if not running.is_done]


def _numbers(dtype: str, data: memoryview) -> NDArray[Any] | None:
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    kind = _NUMPY.get(dtype)
    return None if kind is None else np.frombuffer(data, kind)

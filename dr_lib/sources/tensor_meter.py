"""Measures tensors while their bytes pass by: digest and statistics, without a second read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from blake3 import blake3

from dr_lib.model.manifest import TensorEntry
from dr_lib.sources.base import TensorSpan
from dr_lib.sources.tally import Tally


@dataclass(slots=True)
class _Running:
    """One tensor of which a part has passed."""

    tensor: TensorSpan
    tally: Tally
    hasher: Any = field(default_factory=blake3)
    seen: int = 0

    @property
    def is_done(self) -> bool:
        return self.seen >= self.tensor.length

    def feed(self, data: memoryview) -> None:
        self.hasher.update(data)
        self.seen += len(data)
        self.tally.feed(data)

    def entry(self, file: str) -> TensorEntry:
        t, digest = self.tensor, self.hasher.digest()
        return TensorEntry(file, t.name, t.dtype, t.shape, t.offset, t.length, digest, self.tally.stats())


class TensorMeter:
    """Fed the bytes of a file in order, gives each tensor's entry when its last byte has passed.

    `tensors` are the file's tensors that lie wholly within the bytes that will be fed, sorted by offset; some may
    share bytes, as tied weights do. Bytes between tensors (a header) are ignored. Not for use from several threads.
    """

    def __init__(self, file: str, tensors: tuple[TensorSpan, ...]) -> None:
        """`file` is the path that the entries will name."""
        self._file = file
        self._waiting = list(reversed([_Running(tensor, Tally(tensor.dtype)) for tensor in tensors]))
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

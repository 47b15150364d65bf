"""Content-defined chunks: cuts of opaque bytes that move with the content when something before them grows.

FastCDC (Xia et al., "The Design of Fast Redundancy Elimination Approaches for Building Deduplication Systems", 2020)
by the library pyfastcdc, with chunks of 1 MiB and a bit on average, 256 KiB at least and `FRAME_BYTES` at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange, Span
from dr_lib.sources.cutting.spans import ALONE_BYTES, FRAME_BYTES, fixed

CHUNKED_BYTES: Final = 512 << 20
"""Longest file whose content decides its cuts.

Such cuts need every byte, and each shard that holds a piece of a file finds the file's cuts anew. A file of this
length is one shard by default, and so is read once more than it would be; a longer one would be read once more for
every shard, and gets fixed cuts, which serve files that only grow at the end. Chunks of windows that each shard
could cut for itself would serve both, but would fall out of step with every insertion at the next window's start.
"""
LEAST_BYTES: Final = 256 << 10


def cut(read: ReadRange, size: int) -> FileCut:
    """The cut of opaque bytes: by content up to `CHUNKED_BYTES`, at a fixed length beyond.

    Reads a file that is cut by content once, in order, `FRAME_BYTES` at a time. Raises what `read` raises.
    """
    if not ALONE_BYTES <= size <= CHUNKED_BYTES:
        return FileCut(tuple(fixed(0, size)), ())
    return FileCut(tuple(_by_content(read, size)), ())


def _by_content(read: ReadRange, size: int) -> Iterator[Span]:
    from pyfastcdc import FastCDC

    chunker = FastCDC(ALONE_BYTES, min_size=LEAST_BYTES, max_size=FRAME_BYTES)
    for chunk in chunker.cut_stream(_Stream(read, size)):
        yield Span(chunk.offset, chunk.length)


class _Stream:
    """The file from its start, as the chunker wants it."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self._ranges, self._size, self._at = read, size, 0

    def read(self, wanted: int) -> bytes:
        start = self._at
        self._at = min(self._size, start + min(wanted, FRAME_BYTES))
        return self._ranges(start, self._at - start) if self._at > start else b""

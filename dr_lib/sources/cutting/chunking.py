"""Content-defined chunks: cuts of opaque bytes that move with the content when something before them grows.

FastCDC (Xia et al., "The Design of Fast Redundancy Elimination Approaches for Building Deduplication Systems", 2020)
by the library pyfastcdc, with chunks of 1 MiB and a bit on average, 256 KiB at least and `FRAME_BYTES` at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Final

from blake3 import blake3

from dr_lib.sources.base import FileCut, ReadRange, Span
from dr_lib.sources.cutting.spans import ALONE_BYTES, FRAME_BYTES, fixed

CHUNKED_BYTES: Final = 512 << 20
"""Longest file that is one segment: by default it is one shard, which reads it once more than it would."""
SEGMENT_BYTES: Final = 128 << 20
"""About this long are the segments of a longer file, which can be cut one by one."""
WINDOW_BYTES: Final = 8 << 20
"""From each multiple of `SEGMENT_BYTES` on, so many bytes are looked at for where the content lets a segment begin."""
LEAST_BYTES: Final = 256 << 10
_DECISIVE: Final = 64
"""Bytes before a cut that the chunker's rolling hash decides by."""


def cut(read: ReadRange, size: int, start: int = 0, end: int | None = None) -> FileCut:
    """The cut of opaque bytes by their content, or its part from `start` to `end`, two of `segment_starts` or the ends.

    Reads that part once, in order, `FRAME_BYTES` at a time, and a window for each segment in it. Memory is bounded by
    the spans. Raises what `read` raises.
    """
    if size < ALONE_BYTES:
        return FileCut(tuple(fixed(0, size)), ())
    last = size if end is None else end
    edges = [start, *(mark for mark in segment_starts(read, size, start, last) if start < mark < last), last]
    return FileCut(tuple(span for edge in pairwise(edges) for span in _by_content(read, *edge)), ())


def segment_starts(read: ReadRange, size: int, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Offsets, ascending, at which a file's segments begin, those between `start` and `end` at least; without 0.

    Of a window's cuts, the one before which the bytes have the least digest begins a segment. It is the same one when
    an insertion before it moved the window's content a little, so that segments after the changed one stay as they are.
    """
    if size > CHUNKED_BYTES:
        first = max(1, (start - WINDOW_BYTES) // SEGMENT_BYTES + 1)
        for at in range(first * SEGMENT_BYTES, size if end is None else end, SEGMENT_BYTES):
            yield _least(read, at, min(at + WINDOW_BYTES, size))


def _least(read: ReadRange, start: int, end: int) -> int:
    """Where a chunk of a window ends, the last one's end excepted, which is the window's."""
    window = read(start, end - start)
    ends = [span.offset + span.length for span in _by_content(partial(_slice, window), 0, len(window))][:-1]
    drawn = {blake3(window[at - _DECISIVE : at]).digest(): at for at in reversed(ends)}
    return start + drawn[min(drawn)] if drawn else start


def _slice(data: bytes, offset: int, length: int) -> bytes:
    return data[offset : offset + length]


def _by_content(read: ReadRange, start: int, end: int) -> Iterator[Span]:
    from pyfastcdc import FastCDC

    chunker = FastCDC(ALONE_BYTES, min_size=LEAST_BYTES, max_size=FRAME_BYTES)
    for chunk in chunker.cut_stream(_Stream(read, start, end)):
        yield Span(start + chunk.offset, chunk.length)


class _Stream:
    """The file from `start` to `end`, as the chunker wants it."""

    def __init__(self, read: ReadRange, start: int, end: int) -> None:
        self._ranges, self._at, self._end = read, start, end

    def read(self, wanted: int) -> bytes:
        start = self._at
        self._at = min(self._end, start + min(wanted, FRAME_BYTES))
        return self._ranges(start, self._at - start) if self._at > start else b""

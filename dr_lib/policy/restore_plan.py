"""Which ranges of which packs a restore fetches, and where each frame's bytes go: planned whole before any fetch."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from dr_lib.model.manifest import FileEntry, FrameRef

MAX_RANGE: Final = 8 << 20
"""32 streams of it fit the memory of a restore; 16 MiB was no faster."""
MAX_GAP: Final = 1 << 20
"""Fetching a gap of a megabyte that nobody asked for is cheaper than another request."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes `start` to `end` of a frame's raw ones."""

    frame: FrameRef
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes `start` to `end` of a frame go to output number `output`, from `offset` on."""

    output: int
    offset: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FrameUse:
    """A frame to be fetched once, and every place that bytes of it are wanted in."""

    frame: FrameRef
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class RangeFetch:
    """One request: `length` bytes from `start` of pack number `pack`, holding `frames` in ascending order."""

    pack: int
    start: int
    length: int
    frames: tuple[FrameUse, ...]

    @property
    def wanted(self) -> int:
        """Bytes that it brings to all places together."""
        return sum(write.end - write.start for use in self.frames for write in use.writes)


def whole_file(file: FileEntry) -> tuple[Piece, ...]:
    """All of a file."""
    return tuple(Piece(frame, 0, frame.raw) for frame in file.frames)


def part_of_file(file: FileEntry, offset: int, length: int) -> tuple[Piece, ...]:
    """The bytes `offset` to `offset + length` of a file, which has them."""
    starts = [0, *accumulate(frame.raw for frame in file.frames)]
    pieces, end = [], offset + length
    at = bisect_right(starts, offset) - 1
    while length and at < len(file.frames) and starts[at] < end:
        frame, start = file.frames[at], starts[at]
        pieces.append(Piece(frame, max(offset - start, 0), min(end - start, frame.raw)))
        at += 1
    return tuple(pieces)


def plan_fetches(outputs: Sequence[Sequence[Piece]]) -> tuple[RangeFetch, ...]:
    """The fewest sensible requests for `outputs`, each of which is its pieces one after the other.

    Each frame is fetched once, and neighbours are coalesced up to `MAX_RANGE`. Ordered by pack and offset. Frames of no
    bytes do not occur.
    """
    uses = [FrameUse(frame, tuple(writes)) for frame, writes in _writes_by_frame(outputs).values()]
    uses.sort(key=lambda use: (use.frame.pack, use.frame.offset))
    fetches: list[list[FrameUse]] = []
    for use in uses:
        if fetches and _joins(fetches[-1], use.frame):
            fetches[-1].append(use)
        else:
            fetches.append([use])
    return tuple(_fetch(group) for group in fetches)


def _writes_by_frame(outputs: Sequence[Sequence[Piece]]) -> dict[tuple[int, int, bytes], tuple[FrameRef, list[Write]]]:
    found: dict[tuple[int, int, bytes], tuple[FrameRef, list[Write]]] = {}
    places: defaultdict[int, int] = defaultdict(int)
    for number, pieces in enumerate(outputs):
        for piece in pieces:
            frame = piece.frame
            _, writes = found.setdefault((frame.pack, frame.offset, frame.digest), (frame, []))
            writes.append(Write(number, places[number], piece.start, piece.end))
            places[number] += piece.end - piece.start
    return found


def _joins(group: list[FrameUse], frame: FrameRef) -> bool:
    first, last = group[0].frame, group[-1].frame
    gap = frame.offset - (last.offset + last.length)
    return frame.pack == last.pack and gap <= MAX_GAP and frame.offset + frame.length - first.offset <= MAX_RANGE


def _fetch(group: list[FrameUse]) -> RangeFetch:
    start = group[0].frame.offset
    end = max(use.frame.offset + use.frame.length for use in group)
    return RangeFetch(group[0].frame.pack, start, end - start, tuple(group))

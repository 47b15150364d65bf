"""Which ranges of which packs a restore fetches, and where each frame's bytes go: planned whole before any fetch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dr_lib.model.manifest import FileEntry, FrameRef

MAX_RANGE: Final = 16 << 20
MAX_GAP: Final = 1 << 20
"""Fetching a gap of a megabyte that nobody asked for is cheaper than another request."""


@dataclass(frozen=True, slots=True)
class Write:
    """Where a frame's bytes go: file number `file`, from `offset` on."""

    file: int
    offset: int


@dataclass(frozen=True, slots=True)
class FrameUse:
    """A frame to be fetched once, and every place that its bytes are wanted in."""

    frame: FrameRef
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class RangeFetch:
    """One request: `length` bytes from `start` of pack number `pack`, holding `frames` in ascending order."""

    pack: int
    start: int
    length: int
    frames: tuple[FrameUse, ...]


def plan_fetches(files: Sequence[FileEntry]) -> tuple[RangeFetch, ...]:
    """The fewest sensible requests for `files`, each frame fetched once, neighbours coalesced up to `MAX_RANGE`.

    Ordered by pack and offset. Frames of no bytes do not occur.
    """
    uses = [FrameUse(frame, tuple(writes)) for frame, writes in _writes_by_frame(files).values()]
    uses.sort(key=lambda use: (use.frame.pack, use.frame.offset))
    fetches: list[list[FrameUse]] = []
    for use in uses:
        if fetches and _joins(fetches[-1], use.frame):
            fetches[-1].append(use)
        else:
            fetches.append([use])
    return tuple(_fetch(group) for group in fetches)


def _writes_by_frame(files: Sequence[FileEntry]) -> dict[tuple[int, int, bytes], tuple[FrameRef, list[Write]]]:
    found: dict[tuple[int, int, bytes], tuple[FrameRef, list[Write]]] = {}
    places: defaultdict[int, int] = defaultdict(int)
    for number, file in enumerate(files):
        for frame in file.frames:
            _, writes = found.setdefault((frame.pack, frame.offset, frame.digest), (frame, []))
            writes.append(Write(number, places[number]))
            places[number] += frame.raw
    return found


def _joins(group: list[FrameUse], frame: FrameRef) -> bool:
    first, last = group[0].frame, group[-1].frame
    gap = frame.offset - (last.offset + last.length)
    return frame.pack == last.pack and gap <= MAX_GAP and frame.offset + frame.length - first.offset <= MAX_RANGE


def _fetch(group: list[FrameUse]) -> RangeFetch:
    start = group[0].frame.offset
    end = max(use.frame.offset + use.frame.length for use in group)
    return RangeFetch(group[0].frame.pack, start, end - start, tuple(group))

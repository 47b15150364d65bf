"""Cutting an asset into shards: units of work of about equal size that any worker can store on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MAX_PIECES: Final = 20_000
"""Files in one shard, so that a shard of many tiny ones stays a small record."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `start` to `end` of the listing's file number `file`."""

    file: int
    start: int
    end: int


Shard = tuple[Piece, ...]
LEAST_LOCAL: Final = 96 << 20
"""A shard of this length fills about one pack."""
ROUNDS: Final = 4


def local_shard_bytes(total: int, *, workers: int, most: int) -> int:
    """Length of a shard where one machine does them all: each worker gets a few, so that they end together.

    The first shard of a file costs more than the others, since it takes the digests of the whole.
    """
    return min(most, max(LEAST_LOCAL, total // (workers * ROUNDS)))


def plan_shards(
    sizes: Sequence[int], shard_bytes: int, boundaries: Callable[[int], Iterable[int]]
) -> tuple[Shard, ...]:
    """Shards that cover every file exactly once, in order, each of about `shard_bytes` or less.

    A file that is larger than a shard is cut at its `boundaries(file)`: ascending offsets below its size at which
    no tensor is split. A shard exceeds `shard_bytes` only where no boundary allows less. Always at least one
    shard, empty for an asset without files.
    """
    shards: list[list[Piece]] = [[]]
    room = shard_bytes
    for number, size in enumerate(sizes):
        for piece in _pieces(number, size, shard_bytes, boundaries):
            length = piece.end - piece.start
            if shards[-1] and (length > room or len(shards[-1]) >= MAX_PIECES):
                shards.append([])
                room = shard_bytes
            shards[-1].append(piece)
            room -= length
    return tuple(tuple(shard) for shard in shards)


def _pieces(number: int, size: int, shard_bytes: int, boundaries: Callable[[int], Iterable[int]]) -> Iterable[Piece]:
    if size <= shard_bytes:
        yield Piece(number, 0, size)
        return
    start = last = 0
    for offset in (*boundaries(number), size):
        if offset - start > shard_bytes and last > start:
            yield Piece(number, start, last)
            start = last
        last = offset
    yield Piece(number, start, size)

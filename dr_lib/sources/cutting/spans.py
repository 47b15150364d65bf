"""From offsets and blocks to spans that cover a file exactly: what every format's cut is put together with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from dr_lib.sources.base import Span
from dr_lib.sources.safetensors_header import ITEM_BITS

FRAME_BYTES: Final = 4 << 20
"""Greatest length of a span; a multiple of every whole-byte element, so that long tensors are cut between elements."""
ALONE_BYTES: Final = 1 << 20
"""Contents from this length on share no frame, and files from this length on are looked into whatever their name."""


class OddBytes(Exception):
    """The bytes are not of the format they began like, or not wholly. Never leaves `sources/`."""


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of one dtype (None: opaque) from `start` to `end` of a file."""

    start: int
    end: int
    dtype: str | None

    @property
    def length(self) -> int:
        """Bytes in it."""
        return self.end - self.start


def fixed(start: int, end: int, dtype: str | None = None) -> Iterator[Span]:
    """Spans of `FRAME_BYTES` from `start` on, the last one shorter."""
    for offset in range(start, end, FRAME_BYTES):
        yield Span(offset, min(FRAME_BYTES, end - offset), dtype)


def between(marks: Iterable[int], size: int) -> tuple[Span, ...]:
    """Opaque spans that cover 0 to `size` and begin anew at each of the ascending `marks`.

    Marks that do not ascend, or lie outside, are passed over: whatever they are, the cover is exact.
    """
    spans: list[Span] = []
    start = 0
    for mark in marks:
        if start < mark < size:
            spans += fixed(start, mark)
            start = mark
    return (*spans, *fixed(start, size))


def of_blocks(blocks: Sequence[Block]) -> Iterator[Span]:
    """Spans of blocks that adjoin: a long one alone, short neighbours of one dtype together up to one frame."""
    for run in _runs(blocks):
        yield from fixed(run[0].start, run[-1].end, run[0].dtype)


def _runs(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    run: list[Block] = []
    for block in blocks:
        if run and not _fits(run, block):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _fits(run: list[Block], block: Block) -> bool:
    short = max(run[-1].length, block.length) < ALONE_BYTES
    return short and block.end - run[0].start <= FRAME_BYTES and block.dtype == run[0].dtype


def typed(spans: Sequence[Span], blocks: Sequence[Block]) -> tuple[Span, ...]:
    """`spans` with the dtype that most of their bytes have; `blocks`, ascending, say which bytes have one.

    A span's elements are counted from its start, so that only blocks that begin on one count.
    """
    found = []
    first = 0
    for span in spans:
        while first < len(blocks) and blocks[first].end <= span.offset:
            first += 1
        dtype = _most(span, islice(blocks, first, None))
        found.append(span if dtype is None else replace(span, dtype=dtype))
    return tuple(found)


def _most(span: Span, blocks: Iterable[Block]) -> str | None:
    tally: dict[str, int] = {}
    end = span.offset + span.length
    for block in blocks:
        if block.start >= end:
            break
        if block.dtype and (block.start - span.offset) * 8 % ITEM_BITS[block.dtype] == 0:
            common = min(block.end, end) - max(block.start, span.offset)
            tally[block.dtype] = tally.get(block.dtype, 0) + common
    dtype = max(tally, key=tally.__getitem__, default=None)
    return dtype if dtype and tally[dtype] * 2 > span.length else None

"""Which objects a sample reads, so that every byte is read again within the promised time. Pure.

The walk goes over the objects in the order of their keys, on from where the last one ended, and round. What it has
covered is a step function over keys: its size does not grow with the vault, and it needs no state but the last event.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from dr_lib.model.scrub import Coverage, Span

END: Final = "~"
"""Behind every key of a vault."""
FIRST_GAP: Final = timedelta(days=1)
"""How long the next run is waited for when nobody knows yet."""
MOST_SPANS: Final = 2000
SKEW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Item:
    """An object that a point needs: its key, bytes, and when it was written."""

    key: str
    size: int
    written_at: datetime


def share(gap: timedelta | None, within: timedelta) -> float:
    """The part of all bytes that a run reads, above 0 and at most 1, when the last one was `gap` ago (None: never).

    Runs at this pace go round once before `within` has passed, one of them left out: 1 / (floor(within / gap) - 1).
    """
    step = FIRST_GAP if gap is None or gap <= timedelta(0) else gap
    return 1 / max(1, within // step - 1)


def sample(items: Sequence[Item], cursor: str, part: float) -> list[Item]:
    """The next objects of the walk behind `cursor`: at least one, and at least this part (0 to 1) of all bytes.

    `items` are sorted by key. Each occurs once, however large the part.
    """
    first = next((at for at, item in enumerate(items) if item.key > cursor), 0)
    wanted = sum(item.size for item in items) * min(part, 1.0)
    chosen: list[Item] = []
    taken = 0
    for item in (*items[first:], *items[:first]):
        if chosen and taken >= wanted and part < 1.0:
            break
        chosen.append(item)
        taken += item.size
    return chosen


def extended(coverage: Sequence[Span], cursor: str, last: str, at: datetime) -> tuple[Span, ...]:
    """`coverage` after all from behind `cursor` to `last` was read at that moment; round the end when `last` is not
    behind `cursor`."""
    if last > cursor:
        return _painted(coverage, cursor, last, at)
    return _painted(_painted(coverage, cursor, END, at), "", last, at)


def everything(at: datetime) -> tuple[Span, ...]:
    """The coverage after all was read at that moment."""
    return (Span(END, at),)


def measured(items: Sequence[Item], coverage: Sequence[Span], now: datetime, within: timedelta) -> Coverage:
    """How the objects stand. A moment that lies in the future proves nothing; then the time of writing counts."""
    ends = [span.upto for span in coverage]
    total, read, oldest = 0, 0, timedelta(0)
    for item in items:
        age = now - _last_known(item, coverage, ends, now)
        total += item.size
        read += item.size if age <= within else 0
        oldest = max(oldest, age)
    return Coverage(total, read, oldest.total_seconds(), within.total_seconds())


def aged(covered: Coverage, by: timedelta) -> Coverage:
    """How the objects stand that much later if nothing was read since; `read_bytes` is then the most it can be."""
    return replace(covered, oldest_s=covered.oldest_s + max(0.0, by.total_seconds()))


def _last_known(item: Item, coverage: Sequence[Span], ends: Sequence[str], now: datetime) -> datetime:
    place = bisect_left(ends, item.key)
    read_at = coverage[place].at if place < len(coverage) else None
    if read_at is None or read_at > now + SKEW or read_at < item.written_at:
        return item.written_at
    return read_at


def _painted(coverage: Sequence[Span], after: str, upto: str, at: datetime) -> tuple[Span, ...]:
    """`coverage` with the keys behind `after`, up to `upto`, read at that moment."""
    old = list(coverage) if coverage and coverage[-1].upto == END else [*coverage, Span(END, None)]
    before = [span for span in old if span.upto <= after]
    if after and (not before or before[-1].upto < after):
        before.append(Span(after, next(span.at for span in old if span.upto >= after)))
    behind = [span for span in old if span.upto > upto]
    return _merged([*before, Span(upto, at), *behind])


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Neighbours of one moment as one; of too many, those that were read longest ago are made one older one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].at == span.at:
            found[-1] = span
        else:
            found.append(span)
    while len(found) > MOST_SPANS:
        found[:2] = [Span(found[1].upto, _older(found[0].at, found[1].at))]
    return tuple(found)


def _older(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else min(one, other)

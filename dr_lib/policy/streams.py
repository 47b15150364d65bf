"""How many requests a restore keeps in flight, decided from what the last ones brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST: Final = 4
FIRST: Final = 16
MOST: Final = 32
_WORTH: Final = 0.5
"""Streams were worth it when the rate changed by at least half of what their number did."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`streams` requests in flight now; `before` and the `rate` (bytes a second) they brought, 0 when nothing did."""

    streams: int = FIRST
    before: int = 0
    rate: float = 0.0


def next_pace(pace: Pace, rate: float) -> Pace:
    """The pace after a window in which `pace.streams` requests in flight brought `rate` bytes a second.

    A quarter more as long as the last change showed that streams are worth it, else a quarter less, because fewer do
    the same with less memory; within `LEAST` and `MOST`, and never resting, because networks change.
    """
    step = max(pace.streams // 4, 1)
    streams = pace.streams + step if _worth(pace, rate) else pace.streams - step
    return Pace(min(max(streams, LEAST), MOST), pace.streams, rate)


def _worth(pace: Pace, rate: float) -> bool:
    if pace.before == 0 or pace.rate == 0:
        return True
    if pace.before == pace.streams:
        return pace.streams == LEAST
    return (rate / pace.rate - 1) / (pace.streams / pace.before - 1) > _WORTH

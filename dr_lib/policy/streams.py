"""How many requests a restore keeps in flight, decided from what the last ones brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST: Final = 4
FIRST: Final = 16
MOST: Final = 32
_AS_GOOD: Final = 0.95
"""Two rates that differ by less are taken for the same."""
_FORGET: Final = 0.98
"""A rate that was reached once counts for less with every window: networks change."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`streams` requests in flight, the best `rate` seen so far (bytes a second), and where the last step went."""

    streams: int = FIRST
    best: float = 0.0
    growing: bool = True


def next_pace(pace: Pace, rate: float) -> Pace:
    """The pace after a window in which `pace.streams` requests in flight brought `rate` bytes a second.

    A gain: a step further the same way. A loss: a step back. Neither: a step down, because fewer requests do the same
    with less memory. Steps are a quarter, within `LEAST` and `MOST`.
    """
    if rate > pace.best / _AS_GOOD:
        growing = pace.growing
    elif rate < pace.best * _AS_GOOD:
        growing = not pace.growing
    else:
        growing = False
    step = max(pace.streams // 4, 1)
    streams = pace.streams + step if growing else pace.streams - step
    return Pace(min(max(streams, LEAST), MOST), max(rate, pace.best * _FORGET), growing)

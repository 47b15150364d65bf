"""The smallest damage that is noticed, by bisection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dr_lib.clock import monotonic

LEAST: Final = -7
"""Where the search ends: ten to this power, as a share of the norm."""
STEPS: Final = 6


def smallest(notices: Callable[[float], bool], search_s: float) -> float | None:
    """The smallest share (of 1) that `notices` was seen to notice, between 1e-7 and 1; None when not even 1 is.

    Six steps halve the decades between: what is given is at most 1.3 times too great, more when `search_s` seconds
    ended the search. `notices` may be asked once more after that.
    """
    began = monotonic()
    if not notices(1.0):
        return None
    low, high = float(LEAST), 0.0
    for _ in range(STEPS):
        if monotonic() - began > search_s:
            break
        middle = (low + high) / 2
        if notices(10.0**middle):
            high = middle
        else:
            low = middle
    return float(10.0**high)

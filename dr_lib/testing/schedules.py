"""When a fault happens: each takes the number of the matching call, from 1, and says whether this one is struck."""

from __future__ import annotations

import random
from collections.abc import Callable

When = Callable[[int], bool]


def always(number: int) -> bool:  # noqa: ARG001 - the signature of every schedule
    """Every call."""
    return True


def once(number: int) -> bool:
    """The first call alone."""
    return number == 1


def nth(wanted: int) -> When:
    """One call: the `wanted`-th."""
    return lambda number: number == wanted


def first(count: int) -> When:
    """The first `count` calls: what passes by itself when it is tried again."""
    return lambda number: number <= count


def from_the(start: int) -> When:
    """The `start`-th call and all after it."""
    return lambda number: number >= start


def at_random(rate: float, seed: int) -> When:
    """Each call with this probability (0 to 1). The same seed strikes the same numbers, whatever threads there are."""
    return lambda number: random.Random(f"{seed} {number}").random() < rate

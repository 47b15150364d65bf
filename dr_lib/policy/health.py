"""Whether a site serves: N bad answers of the last M. A pure decision over what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Said(StrEnum):
    """What came of one request."""

    RIGHT = "right"
    WRONG = "wrong"
    """It was answered, and not as it should be."""
    NOTHING = "nothing"
    """No answer in time, or one that says that the server cannot."""


class Verdict(StrEnum):
    """How a site stands."""

    HEALTHY = "healthy"
    DOWN = "down"
    WRONG = "wrong"
    FLAPPING = "flapping"
    """Too many bad answers to be healthy, too few to be failing."""
    UNKNOWN = "unknown"
    """Not asked often enough."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`fall` bad answers of the last `of` are a failure, `rise` right ones in a row at the end are health."""

    of: int = 5
    fall: int = 3
    rise: int = 3


def verdict(seen: Sequence[Said], rule: Thresholds) -> Verdict:
    """How a site stands by its answers, the oldest first; only the last `rule.of` count.

    Health needs an unbroken end, failure a bad one, so that no series is both, and one that swings is neither.
    """
    last = seen[-rule.of :]
    if len(last) < rule.of:
        return Verdict.UNKNOWN
    if all(one is Said.RIGHT for one in last[-rule.rise :]):
        return Verdict.HEALTHY
    bad = [one for one in last if one is not Said.RIGHT]
    if len(bad) < rule.fall or last[-1] is Said.RIGHT:
        return Verdict.FLAPPING
    return Verdict.WRONG if 2 * bad.count(Said.WRONG) > len(bad) else Verdict.DOWN

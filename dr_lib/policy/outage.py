"""How long an endpoint gave no right answer, from what its callers would have heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dr_lib.policy.health import Said


@dataclass(frozen=True, slots=True)
class Outage:
    """`seconds` from `begin`, the last right answer before the first bad one, to `end`, the first right one after the
    last bad one; 0 without a bad one.

    An upper bound: between two requests nobody knows. While the last answer is a bad one `is_over` is False, and the
    end is that answer's.
    """

    asked: int
    answered: int
    seconds: float
    is_over: bool
    begin: float | None = None
    end: float | None = None


def outage(heard: Sequence[tuple[float, Said]]) -> Outage:
    """The outage in a series of moments (s, rising) and what was heard then."""
    right = [at for at, said in heard if said is Said.RIGHT]
    bad = [at for at, said in heard if said is not Said.RIGHT]
    if not bad:
        return Outage(len(heard), len(right), 0.0, is_over=bool(heard))
    begin = max((at for at in right if at < bad[0]), default=bad[0])
    end = min((at for at in right if at > bad[-1]), default=None)
    last = heard[-1][0] if end is None else end
    return Outage(len(heard), len(right), round(last - begin, 3), is_over=end is not None, begin=begin, end=last)

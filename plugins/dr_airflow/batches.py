"""How many shards one mapped task takes, so that an asset of any size fits Airflow's limit on mapping."""

from __future__ import annotations

from itertools import pairwise

MOST_MAPPED = 1000
"""Airflow fails the pushing task above 1,024 mapped items."""


def ranges(count: int, most: int) -> list[list[int]]:
    """`count` items as at most `most` ranges `[start, stop)` of nearly equal length, in order, without a gap.

    Never empty: no items make one empty range, so that the mapped task runs instead of being skipped.
    """
    pieces = max(1, min(count, most))
    bounds = [count * piece // pieces for piece in range(pieces + 1)]
    return [[start, stop] for start, stop in pairwise(bounds)]

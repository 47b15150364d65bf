"""The recovery point objective: how old the newest data is that a disaster would leave us."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from dr_lib.model.copy import CopyState, KnownPoint


def newest_verified(points: Sequence[KnownPoint], regions: Collection[str], at: datetime) -> KnownPoint | None:
    """The newest point made at or before `at` that is verified in one of `regions`; None when there is none.

    A quarantined point is as none: its bytes may be whole, and what they say is not believed.
    """
    usable = [
        point
        for point in points
        if point.created_at <= at
        and point.quarantine is None
        and any(c.region in regions and c.state is CopyState.VERIFIED for c in point.copies)
    ]
    return max(usable, key=lambda p: p.created_at, default=None)


def rpo_seconds(point: KnownPoint | None, at: datetime) -> float | None:
    """Age of `point` at `at` in seconds; None (never zero) when there is no point."""
    return None if point is None else (at - point.created_at).total_seconds()

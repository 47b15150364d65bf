"""How long what a new point needs has to be locked. Every time here is the server's: it alone ends a lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

LEEWAY: Final = timedelta(hours=1)
"""A commit may take so long after it asked what a fresh object gets, and a pack be so much older than its manifest."""
ROUNDING: Final = timedelta(minutes=1)


def is_kept(given: datetime | None, created_at: datetime, days: int) -> bool:
    """Whether a store that locked an object until `given` as it was created locks for that many days."""
    return given is not None and given >= created_at + timedelta(days=days) - ROUNDING


def due(given: datetime, created_at: datetime, days: int) -> datetime:
    """Until when what is older must be locked, beside an object that was created then and is locked until `given`."""
    return max(given, created_at + timedelta(days=days)) + LEEWAY


def needs_extension(stored_at: datetime, asked_at: datetime, *, is_fresh: bool) -> bool:
    """Whether an object's own lock is too short for a manifest of now; `is_fresh`: the same run stored it."""
    return not is_fresh or stored_at < asked_at - LEEWAY

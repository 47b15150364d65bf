"""Expiries: events that say that a point was deleted on purpose, so that it is not taken for lost, nor copied again."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dr_lib.vault.events import add_event, readable_events
from dr_lib.vault.vault import Vault

EXPIRY: Final = "expiry"


def record_expiry(vault: Vault, asset: str, point: str, prune: str, at: datetime) -> str:
    """Say that a prune took a point away by this plan; the event's key. The same word twice is one event."""
    return add_event(vault, EXPIRY, asset, point, at, {"prune": prune})


def expired_points(vault: Vault, asset: str) -> frozenset[str]:
    """Points of an asset that a prune took away here, committed again or not: one listing, a get for each.

    A word that cannot be read, or that nobody trusted signed, says nothing: the point is missing then.
    """
    return frozenset(name.point for name, facts in readable_events(vault, asset, EXPIRY) if facts is not None)

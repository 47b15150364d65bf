"""Holds and quarantines: why a point must not be deleted, and why it must not be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

ANOMALY: Final = "anomaly-"
"""Beginning of the names of holds that a quarantine caused; the quarantined point's id follows."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A named reason why a point must not be deleted. `name` tells holds of one point apart; `reason` is for people.

    One whose event can no longer be read has the name and reason None: it holds all the same.
    """

    asset: str
    point: str
    name: str | None
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a point is not trusted: it is never chosen by itself, proves no objective and keeps no tier.

    `findings` is None when the event can no longer be read: the point is quarantined all the same.
    """

    asset: str
    point: str
    findings: tuple[str, ...] | None
    at: datetime

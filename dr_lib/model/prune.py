"""Prune: what a plan to delete says, and what one run of it may do at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class PrunePolicy:
    """`apply`: whether the schedule deletes, or only says what would go. `grace`: how long a plan waits before anything
    of it is deleted, longer than any backup. One run deletes at most `objects`, and `bytes`, in each region."""

    apply: bool = False
    schedule: str | None = None
    grace: timedelta = timedelta(hours=72)
    objects: int = 10_000
    bytes: int = 10**12


DRY: Final = PrunePolicy()


@dataclass(frozen=True, slots=True)
class Doomed:
    """One version of an object that a plan names, and its size in bytes."""

    key: str
    version: str
    size: int


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """The first phase's word, immutable: what may be deleted from one region's vault once the grace period is over.

    `asset` limits the plan to one asset; it is empty for all. `points` are asset and id of those that may go, `objects`
    everything that only they need, or nobody, in the order in which it is deleted.
    """

    id: str
    region: str
    asset: str
    at: datetime
    points: tuple[tuple[str, str], ...]
    objects: tuple[Doomed, ...]

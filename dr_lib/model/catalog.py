"""What the catalog says of an asset: facts as they were observed at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dr_lib.model.copy import KnownPoint


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """One asset as it was at `observed_at`. `verified_at` is the moment that its newest verified point stands for,
    `protected_until` that plus the RPO's objective: from then on it is not, if nothing newer comes.

    `problems` is empty when all was well then; `failing_since` is the first observation in a row that found some.
    """

    asset: str
    kind: str
    observed_at: datetime
    verified_at: datetime | None
    protected_until: datetime | None
    rpo_objective_s: float
    rto_objective_s: float
    points: int
    logical_bytes: int
    stored_bytes: int
    problems: tuple[str, ...]
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegionEntry:
    """An asset in one region. `state` is that of the newest point's copy; `silent` why the region did not answer.

    `verified_at` is the moment that the newest point verified there stands for, `read_at` when that was verified,
    `unread_s` for how long the byte that waited longest has not been read again, `locked_until` of the newest copy.
    """

    region: str
    state: str
    newest: str
    verified_at: datetime | None
    read_at: datetime | None
    unread_s: float | None
    locked_until: datetime | None
    points: int
    silent: str


@dataclass(frozen=True, slots=True)
class DrillEntry:
    """A drill as its evidence states it. `policy_sha256` is the digest of the policy that it was judged by."""

    drill: str
    scenario: str
    expected: str
    verdict: str
    finished_at: datetime
    rto_s: float | None
    rpo_s: float | None
    policy_sha256: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that was observed of one asset. `points` are newest first; of silent regions their copies are `unknown`."""

    entry: AssetEntry
    regions: tuple[RegionEntry, ...]
    points: tuple[KnownPoint, ...]
    drills: tuple[DrillEntry, ...]

"""Copies: one recovery point in one vault, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dr_lib.model.hold import Quarantine


class CopyState(StrEnum):
    """State of a copy as observed, never as intended.

    `missing`: the region answered and holds no such point. `unknown`: the region did not answer, so nothing is
    claimed about it. The others are the design's: `pending` (a run was planned, nothing is committed),
    `complete` (committed, not yet re-read), `verified` (every byte was re-read), `damaged`, `expired` (a prune took
    it).
    """

    PENDING = "pending"
    COMPLETE = "complete"
    VERIFIED = "verified"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification of one copy, as its event in the vault states it.

    `mode` is `structure` or `full`; `manifest_sha256` binds the result to the manifest that was read;
    `findings` is empty exactly when the copy was found whole.
    """

    region: str
    asset: str
    point: str
    manifest_sha256: str
    mode: str
    finished_at: datetime
    seconds: float
    bytes_read: int
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when nothing was found wrong."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class CopyLock:
    """What the store says of the lock of a copy's manifest. `until` is None when unlocked or unknown."""

    until: datetime | None
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Copy:
    """One point in one region. `verified_at` is the newest full verification that found it whole.

    `lock` is None where nobody asked: the region has no locks, or the copy is not there.
    """

    region: str
    state: CopyState
    verified_at: datetime | None = None
    detail: str | None = None
    lock: CopyLock | None = None


@dataclass(frozen=True, slots=True)
class KnownPoint:
    """A recovery point and its copies over all regions that the asset names (sorted by region).

    `quarantine` is set when a region that answered distrusts the point: then it is taken by its id alone.
    """

    asset: str
    point: str
    created_at: datetime
    logical_bytes: int
    stored_bytes: int
    files: int
    copies: tuple[Copy, ...]
    quarantine: Quarantine | None = None

    def copy_in(self, region: str) -> Copy:
        """The copy in `region`; state `missing` when the asset does not name that region."""
        return next((c for c in self.copies if c.region == region), Copy(region, CopyState.MISSING))

"""An asset: a named model or dataset to protect, and what its owner promised about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from dr_lib.model.gates import Gates
from dr_lib.model.region import StoreRef
from dr_lib.model.smoke import SmokePolicy


class AssetKind(StrEnum):
    """What the asset is; decides the smoke test."""

    MODEL = "model"
    DATASET = "dataset"
    ORCHESTRATOR = "orchestrator"
    """Airflow itself, of which there is at most one."""


@dataclass(frozen=True, slots=True)
class Objectives:
    """The promise that drills prove: greatest data loss (RPO) and greatest outage (RTO)."""

    rpo: timedelta
    rto: timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """How many of the newest points of each tier are kept (grandfather, father, son), and for how long any is.

    `last` counts points of whatever age; a point stays at least `keep_within`, one in quarantine at least
    `quarantined`, and `max_age` (None: no limit) ends what the counts grant. No setting lets the newest verified point
    go.
    """

    hourly: int
    daily: int
    weekly: int
    monthly: int
    yearly: int = 0
    last: int = 0
    keep_within: timedelta = timedelta(days=1)
    max_age: timedelta | None = None
    quarantined: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DrillPolicy:
    """When, under which scenario and where the asset is drilled. `schedule` is a cron line or None (by hand).

    `scenarios` is the plan that the schedule rotates through: `scenario` alone when empty.
    `link` is the rate of a slow link in bytes a second. `takes_source`: the live data, a directory, may really be taken
    aside while a drill runs. `control_s`: for how many seconds a drill may look for the smallest damage that its smoke
    test notices; None: no copy is damaged at all.
    """

    schedule: str | None
    scenario: str
    standby: str
    scenarios: tuple[str, ...] = ()
    link: int = 2_000_000
    takes_source: bool = False
    control_s: float | None = 60.0


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """Who must have signed the asset (an OpenSSF model signature): a public key, or a chain of certificates."""

    public_key: Path | None
    certificate_chain: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """A protected thing. `regions` is ordered: the first one is backed up to, the others get copies.

    Within `verify_within` every stored byte is read again; `heals`: what is found damaged is healed without asking.
    `gates` is None where the configuration says that nothing is compared with the last good point.
    """

    name: str
    kind: AssetKind
    source: StoreRef
    regions: tuple[str, ...]
    schedule: str | None
    verify_schedule: str | None
    objectives: Objectives
    retention: Retention
    drill: DrillPolicy
    smoke: SmokePolicy | None = None
    expectations: Path | None = None
    signature: SignaturePolicy | None = None
    verify_within: timedelta = timedelta(days=30)
    heals: bool = False
    gates: Gates | None = field(default_factory=Gates)

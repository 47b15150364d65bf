"""What a drill measured and what it concluded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """`proven`: every objective held and every check passed. Anything else is `not proven`."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"


@dataclass(frozen=True, slots=True)
class Phase:
    """A slice of the RTO: `name` and its length in seconds. Phases are consecutive and add up to the RTO."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SmokeCheck:
    """One judged comparison: what was measured, what was demanded, and whether it held."""

    name: str
    measured: str
    required: str
    passed: bool


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """Answer of a smoke test run in a fresh process.

    `checks` are the judged comparisons in order; `cause` names the likely reason when one failed. `accelerator` is
    `cpu` or the GPU's name. `measures` holds seconds, bytes and counts under self-explaining names.
    """

    passed: bool
    checks: tuple[SmokeCheck, ...]
    cause: str | None
    accelerator: str
    load_s: float
    first_output_s: float
    measures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DrillReport:
    """Everything a drill states; becomes the predicate of its evidence.

    `disaster_at` is the moment from which RTO and RPO count. `rpo_s` is None when no verified point survived, `rto_s`
    when no correct output was ever seen: neither is ever zero for want of knowledge. `point`, `restored_from` and
    `manifest_sha256` are empty when the drill did not get that far. `unproven` lists, in plain words, what this drill
    did not show (for example that there was no GPU).
    """

    drill: str
    asset: str
    kind: str
    scenario: str
    lost_region: str
    lost_how: str
    restored_from: str
    point: str
    manifest_sha256: str
    started_at: datetime
    disaster_at: datetime
    finished_at: datetime
    rpo_s: float | None
    rpo_objective_s: float
    rto_s: float | None
    rto_objective_s: float
    phases: tuple[Phase, ...]
    bytes_restored: int
    files_restored: int
    smoke: SmokeResult | None
    verdict: Verdict
    reasons: tuple[str, ...]
    unproven: tuple[str, ...]
    environment: dict[str, str]
    preflight: tuple[dict[str, Any], ...] = ()

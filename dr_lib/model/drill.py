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

    `checks` are the judged comparisons in order; `cause` names the likely reason when one failed, and
    `next_step` what to do about it. `accelerator` is
    `cpu` or the GPU's name. `measures` holds seconds, bytes and counts under self-explaining names.
    """

    passed: bool
    checks: tuple[SmokeCheck, ...]
    cause: str | None
    accelerator: str
    load_s: float
    first_output_s: float
    measures: dict[str, float] = field(default_factory=dict)
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Assertion:
    """Something that was tried from inside the standby and had to fail (`held`), as `detail` tells; None: it could not
    be tried, so nothing is known."""

    name: str
    held: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Control:
    """A copy damaged on purpose: the smoke test had to fail on it (`caught`). None: this damage does not apply here, as
    `detail` says."""

    name: str
    caught: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What damage the smoke test sees.

    `detection_limit` is the smallest noise that it caught, found by bisection, as a share of the norm of the weight
    matrix `limit_tensor`; None when none was found, or looked for, as `note` tells.
    """

    controls: tuple[Control, ...]
    detection_limit: float | None = None
    limit_tensor: str = ""
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """How a scenario came over the world: `really`, or only so that the drill kept away from what it takes. `undone` is
    True once everything is as before, None where there was nothing to undo."""

    really: bool
    how: str
    undone: bool | None = None


@dataclass(frozen=True, slots=True)
class DrillReport:
    """Everything a drill states; becomes the predicate of its evidence.

    `disaster_at` is the moment from which RTO and RPO count. `rpo_s` is None when no verified point survived, `rto_s`
    when no correct output was ever seen: neither is ever zero for want of knowledge. `point`, `restored_from` and
    `manifest_sha256` are empty when the drill did not get that far. `unproven` lists, in plain words, what this drill
    did not show (for example that there was no GPU). `expected` is `recovery` or `refusal`; `policy_sha256` is the
    digest of what the asset's owner promised and how it is tested: another one makes the proof one of something else.
    `predicted` is the RTO in seconds that earlier drills foretold, None without enough of them. `rpo_by_region` is what
    the RPO would be with that region alone. `detours` tell which copies were tried first and found wanting.
    `clock_skew_s` is how far this machine's clock was ahead of a region's; None when no region told its time.
    `critical` names the longest phases and what bounds each. `kits` has the SHA-256 of the recovery kit of each region
    that answered, None where it is not whole.
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
    expected: str = "recovery"
    applied: Applied | None = None
    isolation: tuple[Assertion, ...] = ()
    control: Sensitivity | None = None
    policy_sha256: str = ""
    predicted: float | None = None
    rpo_by_region: dict[str, float | None] = field(default_factory=dict)
    detours: tuple[str, ...] = ()
    clock_skew_s: float | None = None
    critical: tuple[str, ...] = ()
    kits: dict[str, str | None] = field(default_factory=dict)

"""A drill: lose a region, restore a survivor's copy into the standby, question it, and write down how long it took.

The clock runs from the disaster to the first correct output. Whatever fails on the way is a result: the drill ends
with a report that says so, never with silence.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dr_lib.catalog.observe import Answer, Observation, observe
from dr_lib.clock import Clock, monotonic
from dr_lib.errors import DrError, IntegrityError, NotFound, Refused, UsageError
from dr_lib.format import layout
from dr_lib.model.asset import Asset
from dr_lib.model.copy import KnownPoint
from dr_lib.model.drill import Assertion, DrillReport, Phase, SmokeResult, Verdict
from dr_lib.model.manifest import Manifest
from dr_lib.model.standby import Forbidden
from dr_lib.policy.choice import LATEST_VERIFIED, choose
from dr_lib.policy.drill_verdict import judge, unproven
from dr_lib.policy.preflight import Needs, preflight
from dr_lib.policy.rpo import newest_verified, rpo_seconds
from dr_lib.standby.base import Standby
from dr_lib.standby.environment import capture
from dr_lib.vault.vault import Vault

SCENARIOS = ("region-lost",)


@dataclass(frozen=True, slots=True)
class World:
    """What a drill may touch. `answers` opens the regions afresh; `survival_kit` gives the standby's whole knowledge:
    a configuration that names one region and no source, and that region's credentials alone; `forbidden` names all that
    a standby with that kit must not reach."""

    answers: Callable[[], Mapping[str, Answer]]
    survival_kit: Callable[[Asset, str], tuple[str, dict[str, str]]]
    forbidden: Callable[[Asset, str], Sequence[Forbidden]]
    standby: Callable[[str], Standby]
    clock: Clock


@dataclass(slots=True)
class _Stopwatch:
    """Consecutive phases that add up to the time since the disaster, up to the last `lap`."""

    disaster_at: datetime
    clock: Clock
    phases: list[Phase] = field(default_factory=list)
    _last: float | None = None

    def lap(self, name: str) -> None:
        """End the phase `name`. The first one is counted by the wall clock, from a moment that others may have seen."""
        now = monotonic()
        if self._last is None:
            seconds = max(0.0, (self.clock() - self.disaster_at).total_seconds())
        else:
            seconds = now - self._last
        self._last = now
        self.phases.append(Phase(name, seconds))


@dataclass(slots=True)
class _Course:
    """How far a drill got; every field stands for something that happened."""

    lost_how: str = "not probed"
    lost_really: bool = False
    observation: Observation = field(default_factory=lambda: Observation((), {}))
    chosen: KnownPoint | None = None
    region: str = ""
    manifest_sha256: str = ""
    manifest: Manifest | None = None
    environment: dict[str, str] = field(default_factory=dict)
    isolation: tuple[Assertion, ...] = ()
    preflight: tuple[dict[str, Any], ...] = ()
    restored: dict[str, Any] = field(default_factory=dict)
    smoke: SmokeResult | None = None
    failure: DrError | None = None


def drill(asset: Asset, scenario: str, lost: str, disaster_at: datetime | None, world: World) -> DrillReport:
    """Run one drill and report it; the caller stores the report as evidence in the survivors.

    `lost` is the region that the scenario takes away, `disaster_at` when it was really lost (now, when None: then the
    region is only kept away from, and the report says so). Raises `UsageError` (2) for a scenario or moment that
    cannot be; everything that goes wrong in the drill itself is in the report.
    """
    started_at = world.clock()
    _refuse_nonsense(asset, scenario, lost, disaster_at, started_at)
    watch = _Stopwatch(disaster_at or started_at, world.clock)
    course = _Course()
    name = layout.point_id(started_at, secrets.token_bytes(4))
    try:
        _run(asset, lost, name, world, watch, course)
    except DrError as error:
        course.failure = error
    return _report(asset, scenario, lost, name, started_at, watch, course, world.clock())


def _refuse_nonsense(asset: Asset, scenario: str, lost: str, disaster_at: datetime | None, now: datetime) -> None:
    if scenario not in SCENARIOS:
        raise UsageError(f"no drill scenario is called {scenario!r}", hint=f"scenarios: {', '.join(SCENARIOS)}")
    if lost not in asset.regions:
        raise UsageError(f"{asset.name!r} has no copy in {lost!r}", hint=f"its regions: {', '.join(asset.regions)}")
    if len(asset.regions) < 2:
        raise Refused(
            f"{asset.name!r} is in one region only: nothing survives its loss", hint="name a second region for it"
        )
    if disaster_at is not None and disaster_at > now:
        raise UsageError(
            f"the disaster is in the future: {disaster_at.isoformat()}", hint="give a moment that has passed"
        )


def _run(asset: Asset, lost: str, name: str, world: World, watch: _Stopwatch, course: _Course) -> None:
    answers = dict(world.answers())
    answer = answers.pop(lost)
    course.lost_really, course.lost_how = not isinstance(answer, Vault), _how(lost, answer)
    watch.lap("detect")
    vault = _decide(asset, answers, watch.disaster_at, course)
    watch.lap("decide")
    assert course.chosen is not None, "decided above"
    assert course.manifest is not None, "decided above"
    with world.standby(name) as standby:
        config, environ = world.survival_kit(asset, vault.region)
        course.isolation = standby.isolation(world.forbidden(asset, vault.region), config, environ)
        course.environment = standby.environment()
        course.preflight = preflight(course.manifest.environment, course.environment, Needs.of(course.manifest))
        _refuse_blocked(course.preflight)
        watch.lap("acquire")
        course.restored = standby.restore(config, asset.name, course.chosen.point, vault.region, environ)
        watch.lap("restore")
        course.smoke = standby.smoke(asset)
        _lap_smoke(watch, course.smoke)


def _how(lost: str, answer: Answer) -> str:
    if isinstance(answer, Vault):
        return f"{lost} still answers; the drill kept away from it"
    return f"{lost} did not answer: {answer.what}"


def _decide(asset: Asset, answers: Mapping[str, Answer], at: datetime, course: _Course) -> Vault:
    """The newest verified point that survived, and the vault to take it from; its manifest is read here."""
    course.observation = observe(asset.name, answers)
    choice = choose(
        asset.name, course.observation.points, LATEST_VERIFIED, at=at, silent=tuple(course.observation.silent)
    )
    course.chosen = choice.point
    failed: DrError | None = None
    for region in choice.regions:
        vault = answers[region]
        if not isinstance(vault, Vault):
            continue
        try:
            data = vault.manifest_bytes(asset.name, choice.point.point)
            course.manifest = vault.parse_manifest(asset.name, choice.point.point, data)
        except (IntegrityError, NotFound) as error:
            failed = error
        else:
            course.manifest_sha256, course.region = hashlib.sha256(data).hexdigest(), region
            return vault
    raise failed or NotFound("no surviving region holds the chosen point")


def _refuse_blocked(rows: tuple[dict[str, Any], ...]) -> None:
    blocking = [f"{row['name']}: {row['reason']}" for row in rows if row["class"] == "blocking"]
    if blocking:
        raise Refused(
            f"the standby cannot take this asset: {'; '.join(blocking)}", hint="give the drill another standby"
        )


def _lap_smoke(watch: _Stopwatch, smoke: SmokeResult) -> None:
    """The smoke process measured itself: its load, and the rest up to its first correct output."""
    watch.phases.append(Phase("load", smoke.load_s))
    watch.phases.append(Phase("first output", max(0.0, smoke.first_output_s - smoke.load_s)))


def _report(
    asset: Asset,
    scenario: str,
    lost: str,
    name: str,
    started_at: datetime,
    watch: _Stopwatch,
    course: _Course,
    finished_at: datetime,
) -> DrillReport:
    answered = course.smoke is not None and course.smoke.passed
    rto = sum(phase.seconds for phase in watch.phases) if answered else None
    survivors = [region for region in asset.regions if region != lost]
    survivor = newest_verified(course.observation.points, survivors, watch.disaster_at)
    rpo = rpo_seconds(survivor, watch.disaster_at)
    reasons = judge(asset.objectives, rpo, rto, course.smoke, course.failure, course.isolation)
    return DrillReport(
        drill=name,
        asset=asset.name,
        kind=asset.kind.value,
        scenario=scenario,
        lost_region=lost,
        lost_how=course.lost_how,
        restored_from=course.region,
        point=course.chosen.point if course.chosen else "",
        manifest_sha256=course.manifest_sha256,
        started_at=started_at,
        disaster_at=watch.disaster_at,
        finished_at=finished_at,
        rpo_s=rpo,
        rpo_objective_s=asset.objectives.rpo.total_seconds(),
        rto_s=rto,
        rto_objective_s=asset.objectives.rto.total_seconds(),
        phases=tuple(watch.phases),
        bytes_restored=int(course.restored.get("bytes", 0)),
        files_restored=int(course.restored.get("files", 0)),
        smoke=course.smoke,
        verdict=Verdict.NOT_PROVEN if reasons else Verdict.PROVEN,
        reasons=reasons,
        unproven=unproven(lost, course.smoke, course.isolation, lost_really=course.lost_really),
        environment=course.environment or capture(),
        preflight=course.preflight,
        isolation=course.isolation,
    )

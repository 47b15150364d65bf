"""The course of a drill: detect, decide, acquire, restore, test, test the test.

It stops at the first thing that cannot be done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dr_lib.catalog.observe import Answer, Observation, observe
from dr_lib.errors import DrError, IntegrityError, NotFound, Refused, StoreUnavailable
from dr_lib.model.asset import Asset
from dr_lib.model.copy import KnownPoint
from dr_lib.model.drill import Assertion, Sensitivity, SmokeCheck, SmokeResult
from dr_lib.model.kit import KitState
from dr_lib.model.manifest import Manifest
from dr_lib.policy.choice import LATEST_VERIFIED, choose
from dr_lib.policy.preflight import Needs, preflight
from dr_lib.standby.base import Standby
from dr_lib.storage.throttled import wait
from dr_lib.telemetry import span
from dr_lib.vault.vault import Vault
from dr_lib.workflows.drill.control import Passed, control
from dr_lib.workflows.drill.disaster import Disaster
from dr_lib.workflows.drill.stopwatch import Stopwatch
from dr_lib.workflows.drill.undo import Undone
from dr_lib.workflows.drill.world import World


class Blocked(Refused):
    """The preflight blocked: the standby cannot take the asset, and nothing was fetched."""


@dataclass(slots=True)
class Course:
    """How far a drill got; every field stands for something that happened."""

    disaster: Disaster = field(default_factory=Disaster)
    struck: tuple[str, ...] = ()
    undone: Undone | None = None
    lost_how: str = ""
    is_silent: bool = False
    observation: Observation = field(default_factory=lambda: Observation((), {}))
    chosen: KnownPoint | None = None
    region: str = ""
    manifest_sha256: str = ""
    manifest: Manifest | None = None
    environment: dict[str, str] = field(default_factory=dict)
    isolation: tuple[Assertion, ...] = ()
    preflight: tuple[dict[str, Any], ...] = ()
    restored: dict[str, Any] = field(default_factory=dict)
    wanting: dict[str, DrError] = field(default_factory=dict)
    smoke: SmokeResult | None = None
    control: Sensitivity | None = None
    kits: tuple[KitState, ...] = ()
    failure: DrError | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be recovered, without the region `away` if there is one, in a standby of that name. `cramped`: with
    less room than the asset needs. `by_kit`: with the recovery kit instead of this program."""

    asset: Asset
    away: str
    name: str
    cramped: bool = False
    by_kit: bool = False


def run(task: Task, world: World, watch: Stopwatch, course: Course) -> None:
    """Recover the asset, telling `course` how far it got; raises what stopped it."""
    answers = dict(world.answers())
    if task.away:
        answer = answers.pop(task.away)
        course.is_silent, course.lost_how = not isinstance(answer, Vault), _how(task.away, answer)
    watch.lap("detect")
    vaults = _decide(task.asset, answers, watch.disaster_at, course)
    watch.lap("decide")
    assert course.manifest is not None, "decided above"
    needs = Needs.of(course.manifest, demands_gpu=_demands_gpu(task.asset))
    with world.standby(task.name, needs.disk_bytes // 2 if task.cramped else None) as standby:
        _admit(standby, needs, course)
        vault = _restore(task, vaults, standby, world, watch, course)
        with span("drill.smoke"):
            course.smoke = standby.smoke(task.asset)
        watch.lap_smoke(course.smoke)
        if course.smoke.passed and world.try_database is not None:
            course.smoke = _with_database(course.smoke, world.try_database(standby.restored))
            watch.lap("database")
        if course.smoke.passed:
            with span("drill.control"):
                course.control = _control(task, vault, standby, world, course)


def _demands_gpu(asset: Asset) -> bool:
    return asset.smoke is not None and asset.smoke.device == "cuda"


def _how(lost: str, answer: Answer) -> str:
    if isinstance(answer, Vault):
        return f"{lost} still answers; the drill kept away from it"
    return f"{lost} did not answer: {answer.what}"


def chosen_vaults(asset: str, observation: Observation, answers: Mapping[str, Answer], at: datetime) -> tuple[
    KnownPoint, list[Vault]
]:  # fmt: skip
    """The newest point from before `at` that is verified, and the vaults that have it, the one that is asked first
    ahead. Raises as `choose`."""
    choice = choose(asset, observation.points, LATEST_VERIFIED, at=at, silent=tuple(observation.silent))
    found = [answers[region] for region in choice.regions]
    return choice.point, [vault for vault in found if isinstance(vault, Vault)]


def _decide(asset: Asset, answers: Mapping[str, Answer], at: datetime, course: Course) -> list[Vault]:
    """The vaults to take the point from, in order, from the first one on whose manifest is whole; it is read here."""
    course.observation = observe(asset.name, answers)
    course.chosen, vaults = chosen_vaults(asset.name, course.observation, answers, at)
    for number, vault in enumerate(vaults):
        try:
            data = vault.manifest_bytes(asset.name, course.chosen.point)
            course.manifest = vault.parse_manifest(asset.name, course.chosen.point, data)
        except (IntegrityError, NotFound) as error:
            course.wanting[vault.region] = error
        else:
            course.manifest_sha256 = hashlib.sha256(data).hexdigest()
            return vaults[number:]
    raise next(iter(course.wanting.values()), NotFound("no surviving region holds the chosen point"))


def _admit(standby: Standby, needs: Needs, course: Course) -> None:
    assert course.manifest is not None, "decided before"
    course.environment = standby.environment()
    course.preflight = preflight(course.manifest.environment, course.environment, needs)
    blocking = [f"{row['name']}: {row['reason']}" for row in course.preflight if row["class"] == "blocking"]
    if blocking:
        raise Blocked(
            f"the standby cannot take this asset: {'; '.join(blocking)}", hint="give the drill another standby"
        )


def _restore(
    task: Task, vaults: Sequence[Vault], standby: Standby, world: World, watch: Stopwatch, course: Course
) -> Vault:
    """Restore from the first vault that can give the point, as a person would: told that a copy is damaged or does not
    answer, they take the next one. What the first one gave and is whole is not fetched again. Returns that vault."""
    assert course.chosen is not None, "decided before"
    asset, point = task.asset, course.chosen.point
    for number, vault in enumerate(vaults):
        config, environ = world.survival_kit(asset, vault.region)
        course.isolation += standby.isolation(world.forbidden(asset, vault.region), config, environ)
        if number == 0:
            watch.lap("acquire")
        try:
            if task.by_kit:
                course.restored = standby.restore_by_kit(config, asset.name, point, environ)
            else:
                course.restored = standby.restore(config, asset.name, point, vault.region, environ)
        except (IntegrityError, NotFound, StoreUnavailable) as error:
            course.wanting[vault.region] = error
            watch.lap(f"try {vault.region}")
        else:
            course.region = vault.region
            assert course.manifest is not None, "decided before"
            inside = course.restored.get("phases") or {}
            watch.lap_restore(_all_over_the_link(inside, course.manifest.summary.stored_bytes, world.link))
            return vault
    raise next(iter(course.wanting.values()), NotFound("no surviving region holds the chosen point"))


def _with_database(smoke: SmokeResult, checks: tuple[SmokeCheck, ...]) -> SmokeResult:
    """The smoke test's result with what was seen of the database in a server of its own."""
    broken = [check for check in checks if not check.passed]
    cause = f"{broken[0].name}: {broken[0].measured}" if broken else smoke.cause
    return replace(smoke, passed=not broken, checks=(*smoke.checks, *checks), cause=cause)


def _control(task: Task, vault: Vault, standby: Standby, world: World, course: Course) -> Sensitivity | None:
    assert course.chosen is not None, "decided before"
    assert course.manifest is not None, "decided before"
    config, environ = world.survival_kit(task.asset, vault.region)
    passed = Passed(task.asset, task.name, course.chosen.point, course.manifest, vault, config, environ)
    return control(passed, course.observation.points, standby)


def _all_over_the_link(inside: Mapping[str, float], stored: int, link: int | None) -> Mapping[str, float]:
    """A throttle keeps its rate on average, and lets the last piece through at once: the time is waited for that
    `stored` bytes take over a link of so many bytes a second."""
    fetch = inside.get("fetch", 0.0)
    owed = 0.0 if link is None else max(0.0, stored / link - fetch)
    if not owed:
        return inside
    wait(owed)
    return {**inside, "fetch": fetch + owed}

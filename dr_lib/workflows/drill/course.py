"""The course of a drill: detect, decide, acquire, restore, test. It stops at the first thing that cannot be done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dr_lib.catalog.observe import Answer, Observation, observe
from dr_lib.clock import Clock
from dr_lib.errors import DrError, IntegrityError, NotFound, Refused
from dr_lib.model.asset import Asset
from dr_lib.model.copy import KnownPoint
from dr_lib.model.drill import Assertion, SmokeResult
from dr_lib.model.manifest import Manifest
from dr_lib.model.standby import Forbidden
from dr_lib.policy.choice import LATEST_VERIFIED, choose
from dr_lib.policy.preflight import Needs, preflight
from dr_lib.standby.base import Standby
from dr_lib.vault.vault import Vault
from dr_lib.workflows.drill.stopwatch import Stopwatch


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
class Course:
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


def run(asset: Asset, lost: str, name: str, world: World, watch: Stopwatch, course: Course) -> None:
    """Recover the asset without the region `lost`, telling `course` how far it got; raises what stopped it."""
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
        watch.lap_smoke(course.smoke)


def _how(lost: str, answer: Answer) -> str:
    if isinstance(answer, Vault):
        return f"{lost} still answers; the drill kept away from it"
    return f"{lost} did not answer: {answer.what}"


def _decide(asset: Asset, answers: Mapping[str, Answer], at: datetime, course: Course) -> Vault:
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

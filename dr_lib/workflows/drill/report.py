"""From what happened in a drill to what it states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dr_lib.model.asset import Asset
from dr_lib.model.copy import KnownPoint
from dr_lib.model.drill import Applied, DrillReport, Verdict
from dr_lib.model.scenario import Expected, Scenario
from dr_lib.model.smoke import WITHOUT_INFERENCE
from dr_lib.policy.critical_path import critical_path
from dr_lib.policy.drill_verdict import doubts, judge, judge_refusal, kit_gaps, unproven
from dr_lib.policy.rpo import newest_verified, rpo_seconds
from dr_lib.standby.environment import capture
from dr_lib.workflows.drill.course import Blocked, Course
from dr_lib.workflows.drill.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Began:
    """What was decided before the drill did anything. `lost` is empty where the scenario loses no region; `skew` is how
    far the clock was set off on purpose, `skew_s` how far it was found to be off; `policy` is the policy's digest."""

    drill: str
    asset: Asset
    scenario: Scenario
    lost: str
    started_at: datetime
    skew: timedelta = timedelta(0)
    skew_s: float | None = None
    policy: str = ""


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was measured and concluded."""

    rpo_s: float | None
    rto_s: float | None
    really: bool
    reasons: tuple[str, ...]


def report(began: Began, watch: Stopwatch, course: Course, finished_at: datetime) -> DrillReport:
    """The report of a drill that is over, however it ended."""
    asset, judged = began.asset, _judged(began, watch, course)
    return DrillReport(
        drill=began.drill,
        asset=asset.name,
        kind=asset.kind.value,
        scenario=began.scenario.name,
        lost_region=began.lost,
        lost_how=course.lost_how or "; ".join(course.struck) or "no region was lost",
        restored_from=course.region,
        point=course.chosen.point if course.chosen else "",
        manifest_sha256=course.manifest_sha256,
        started_at=began.started_at,
        disaster_at=watch.disaster_at,
        finished_at=finished_at,
        rpo_s=judged.rpo_s,
        rpo_objective_s=asset.objectives.rpo.total_seconds(),
        rto_s=judged.rto_s,
        rto_objective_s=asset.objectives.rto.total_seconds(),
        phases=tuple(watch.phases),
        bytes_restored=int(course.restored.get("bytes", 0)),
        files_restored=int(course.restored.get("files", 0)),
        smoke=course.smoke,
        verdict=Verdict.NOT_PROVEN if judged.reasons else Verdict.PROVEN,
        reasons=judged.reasons,
        unproven=_unproven(began, course),
        environment=course.environment or capture(),
        preflight=course.preflight,
        expected=began.scenario.expected.value,
        applied=Applied(judged.really, _applied_how(course), _undone(course)),
        isolation=course.isolation,
        control=course.control,
        policy_sha256=began.policy,
        rpo_by_region=_rpo_by_region(began, watch.disaster_at, course),
        detours=tuple(f"{region} was asked first: {error.what}" for region, error in course.wanting.items()),
        clock_skew_s=began.skew_s,
        critical=critical_path(watch.phases),
        kits={kit.region: kit.sha256 if kit.is_whole else None for kit in course.kits},
    )


def _judged(began: Began, watch: Stopwatch, course: Course) -> _Judged:
    answered = course.smoke is not None and course.smoke.passed
    is_dated = began.skew_s is not None or not began.skew
    rpo = _rpo(_survivors(began, course), course.observation.points, watch.disaster_at) if is_dated else None
    rto = watch.total() if answered else None
    really = _really(course)
    own = doubts(
        began.scenario.name,
        really=really,
        undone=_undone(course),
        detected=bool(course.wanting),
        skews=(began.skew.total_seconds(), began.skew_s),
    )
    if began.scenario.expected is Expected.REFUSAL:
        blocked, failure = course.failure, None
        if not isinstance(blocked, Blocked):
            blocked, failure = None, course.failure
        fetched = int(course.restored.get("bytes", 0))
        return _Judged(rpo, None, really, (*own, *judge_refusal(blocked, failure, fetched, course.isolation)))
    asked = (
        began.asset.objectives,
        rpo,
        rto,
        course.smoke,
        course.failure,
        course.isolation,
        course.control,
        course.kits,
    )
    return _Judged(rpo, rto, really, (*own, *judge(*asked)))


def _survivors(began: Began, course: Course) -> list[str]:
    """Regions that the disaster left. One whose deleted points are gone counts, and holds none."""
    return [region for region in began.asset.regions if region not in (began.lost, course.disaster.away)]


def _rpo(regions: Sequence[str], points: Sequence[KnownPoint], at: datetime) -> float | None:
    return rpo_seconds(newest_verified(points, regions, at), at)


def _rpo_by_region(began: Began, at: datetime, course: Course) -> dict[str, float | None]:
    """A copy that was found wanting is none of its region's, whatever was verified before."""
    if began.skew_s is None and began.skew:
        return {}
    chosen = course.chosen.point if course.chosen else ""
    found: dict[str, float | None] = {}
    for region in began.asset.regions:
        points = course.observation.points
        if region in course.wanting:
            points = tuple(point for point in points if point.point != chosen)
        found[region] = _rpo([region], points, at)
    return found


def _really(course: Course) -> bool:
    """Whether the disaster really came: every blow was dealt, and what was to fall silent did."""
    dealt = len(course.struck) == len(course.disaster.blows)
    return course.disaster.really and dealt and (course.is_silent or not course.disaster.silences)


def _applied_how(course: Course) -> str:
    words = [*course.struck, course.disaster.how, course.lost_how]
    return "; ".join(word for word in words if word) or "nothing was done to the world"


def _undone(course: Course) -> bool | None:
    return None if course.undone is None else course.undone.failed is None


def _unasked(asset: Asset, course: Course) -> tuple[str, ...]:
    if course.smoke is None or asset.smoke is None or asset.smoke.loader != WITHOUT_INFERENCE:
        return ()
    return ("no inference was run: the loader reads every tensor, and knows no model to ask",)


def _unproven(began: Began, course: Course) -> tuple[str, ...]:
    notes = () if course.undone is None else course.undone.notes
    return unproven(
        course.disaster.away if course.disaster.silences else "",
        course.smoke,
        course.isolation,
        lost_really=course.is_silent,
        control=course.control,
        gaps=(*course.disaster.gaps, *notes, *_unasked(began.asset, course), *kit_gaps(course.kits)),
        skew_s=began.skew_s,
    )

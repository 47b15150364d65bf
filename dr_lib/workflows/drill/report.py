"""From what happened in a drill to what it states."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dr_lib.model.asset import Asset
from dr_lib.model.drill import DrillReport, Verdict
from dr_lib.policy.drill_verdict import judge, unproven
from dr_lib.policy.rpo import newest_verified, rpo_seconds
from dr_lib.standby.environment import capture
from dr_lib.workflows.drill.course import Course
from dr_lib.workflows.drill.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Began:
    """What was decided before the drill did anything."""

    drill: str
    asset: Asset
    scenario: str
    lost: str
    started_at: datetime


def report(began: Began, watch: Stopwatch, course: Course, finished_at: datetime) -> DrillReport:
    """The report of a drill that is over, however it ended."""
    asset = began.asset
    answered = course.smoke is not None and course.smoke.passed
    rto = watch.total() if answered else None
    survivors = [region for region in asset.regions if region != began.lost]
    survivor = newest_verified(course.observation.points, survivors, watch.disaster_at)
    rpo = rpo_seconds(survivor, watch.disaster_at)
    reasons = judge(asset.objectives, rpo, rto, course.smoke, course.failure, course.isolation)
    return DrillReport(
        drill=began.drill,
        asset=asset.name,
        kind=asset.kind.value,
        scenario=began.scenario,
        lost_region=began.lost,
        lost_how=course.lost_how,
        restored_from=course.region,
        point=course.chosen.point if course.chosen else "",
        manifest_sha256=course.manifest_sha256,
        started_at=began.started_at,
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
        unproven=unproven(began.lost, course.smoke, course.isolation, lost_really=course.lost_really),
        environment=course.environment or capture(),
        preflight=course.preflight,
        isolation=course.isolation,
    )

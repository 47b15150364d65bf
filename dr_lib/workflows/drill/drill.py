"""One drill from its beginning to its report.

The clock runs from the disaster to the first correct output. Whatever fails on the way is a result: the drill ends
with a report that says so, never with silence.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from dr_lib.errors import DrError, Refused, UsageError
from dr_lib.format import layout
from dr_lib.model.asset import Asset
from dr_lib.model.drill import DrillReport
from dr_lib.workflows.drill.course import Course, World, run
from dr_lib.workflows.drill.report import Began, report
from dr_lib.workflows.drill.stopwatch import Stopwatch

SCENARIOS = ("region-lost",)


def drill(asset: Asset, scenario: str, lost: str, disaster_at: datetime | None, world: World) -> DrillReport:
    """Run one drill and report it; the caller stores the report as evidence in the survivors.

    `lost` is the region that the scenario takes away, `disaster_at` when it was really lost (now, when None: then the
    region is only kept away from, and the report says so). Raises `UsageError` (2) for a scenario or moment that
    cannot be; everything that goes wrong in the drill itself is in the report.
    """
    started_at = world.clock()
    _refuse_nonsense(asset, scenario, lost, disaster_at, started_at)
    watch = Stopwatch(disaster_at or started_at, world.clock)
    course = Course()
    name = layout.point_id(started_at, secrets.token_bytes(4))
    try:
        run(asset, lost, name, world, watch, course)
    except DrError as error:
        course.failure = error
    return report(Began(name, asset, scenario, lost, started_at), watch, course, world.clock())


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

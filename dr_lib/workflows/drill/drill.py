"""One drill from its beginning to its report.

The clock runs from the disaster to the first correct output. Whatever fails on the way is a result: the drill ends
with a report that says so, never with silence. And however it ends, what it did to the world is undone: by itself, or,
when it was killed, by whoever comes next.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from dr_lib.catalog.answers import open_or_raise
from dr_lib.catalog.observe import observe
from dr_lib.errors import DrError, Refused, UsageError
from dr_lib.format import layout
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.drill import DrillReport
from dr_lib.model.manifest import Manifest
from dr_lib.model.scenario import SCENARIOS, Expected
from dr_lib.vault.vault import Vault
from dr_lib.workflows.drill.course import Course, Task, chosen_vaults, run
from dr_lib.workflows.drill.disaster import Disaster, Scene, disaster_of
from dr_lib.workflows.drill.journal import Entry
from dr_lib.workflows.drill.report import Began, report
from dr_lib.workflows.drill.stopwatch import Stopwatch
from dr_lib.workflows.drill.undo import refuse_unless_undone, undo_entry, undo_leftovers
from dr_lib.workflows.drill.world import World, true_clock


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be drilled. `lost` is the region that a scenario takes away which loses one, `disaster_at` when that
    really happened by another hand (None: the drill does it, as far as dr.yaml allows). `policy` is the digest of what
    was promised.
    """

    asset: Asset
    scenario: str
    lost: str
    disaster_at: datetime | None = None
    policy: str = ""


def drill(order: Order, world: World) -> DrillReport:
    """Undo what earlier drills left, run one drill, undo it, and report it; the caller stores the report as evidence.

    Raises `UsageError` (2) for a scenario or moment that cannot be, `Refused` (7) where another drill is at work on the
    same target or an earlier one cannot be undone. Everything that goes wrong in the drill itself is in the report.
    """
    _refuse_nonsense(order)
    refuse_unless_undone(undo_leftovers(world.journal, world.tools))
    clock, skew_s = true_clock(world)
    started_at = clock()
    if order.disaster_at is not None and order.disaster_at > started_at:
        hint = "give a moment that has passed"
        raise UsageError(f"the disaster is in the future: {order.disaster_at.isoformat()}", hint=hint)
    scenario = SCENARIOS[order.scenario]
    name = layout.point_id(started_at, secrets.token_bytes(4))
    lost = order.lost if scenario.loses_region else ""
    began = Began(name, order.asset, scenario, lost, started_at, world.skew, skew_s, order.policy)
    watch, course = Stopwatch(order.disaster_at or started_at, clock), Course()
    _rehearse(began, order, world, watch, course)
    course.kits = world.kits()
    return report(began, watch, course, clock())


def _refuse_nonsense(order: Order) -> None:
    asset, scenario = order.asset, SCENARIOS.get(order.scenario)
    if scenario is None:
        raise UsageError(f"no drill scenario is called {order.scenario!r}", hint=f"scenarios: {', '.join(SCENARIOS)}")
    if scenario.of_orchestrator and asset.kind is not AssetKind.ORCHESTRATOR:
        hint = "drctl drill orchestrator, where dr.yaml has `orchestrator:`"
        raise UsageError(f"{order.scenario} is nothing that befalls {asset.name!r}", hint=hint)
    if order.lost not in asset.regions:
        hint = f"its regions: {', '.join(asset.regions)}"
        raise UsageError(f"{asset.name!r} has no copy in {order.lost!r}", hint=hint)
    if scenario.loses_region and len(asset.regions) < 2:
        hint = "name a second region for it"
        raise Refused(f"{asset.name!r} is in one region only: nothing survives its loss", hint=hint)
    if order.disaster_at is not None and not scenario.loses_region:
        hint = "leave the moment out"
        raise UsageError(f"{order.scenario} is nothing that another hand does: the drill itself does it", hint=hint)


def _rehearse(began: Began, order: Order, world: World, watch: Stopwatch, course: Course) -> None:
    """Strike, recover and undo. Only `Busy` and what no drill expects come through."""
    try:
        course.disaster = _disaster(began, order, world, watch)
    except DrError as error:
        course.failure = error
        return
    entry = Entry(began.drill, began.asset.name, began.scenario.name, course.disaster.blows)
    with world.journal.locked(entry.targets), _undone_after(entry, world, course):
        try:
            _strike(entry, world, watch, course)
            cramped = began.scenario.expected is Expected.REFUSAL
            task = Task(began.asset, course.disaster.away, began.drill, cramped, began.scenario.by_kit)
            run(task, world, watch, course)
        except DrError as error:
            course.failure = error


def _disaster(began: Began, order: Order, world: World, watch: Stopwatch) -> Disaster:
    if order.disaster_at is not None:
        return Disaster(really=True, away=began.lost, silences=True)
    scene = Scene(
        drill=began.drill,
        asset=began.asset,
        lost=order.lost,
        ground=world.ground,
        look=lambda: _asked_first(began.asset, world, watch.clock()),
        lost_vault=lambda: open_or_raise(world.answers()[order.lost]),
    )
    return disaster_of(began.scenario.name, scene)


def _asked_first(asset: Asset, world: World, at: datetime) -> tuple[Vault, Manifest]:
    answers = world.answers()
    chosen, vaults = chosen_vaults(asset.name, observe(asset.name, answers), answers, at)
    return vaults[0], vaults[0].manifest(asset.name, chosen.point)


@contextmanager
def _undone_after(entry: Entry, world: World, course: Course) -> Iterator[None]:
    """The intent is durable before the block, and what it did is undone after it, whatever happened in it."""
    if not entry.blows:
        yield
        return
    tools = world.tools(entry)
    world.journal.write(entry)
    try:
        yield
    finally:
        course.undone = undo_entry(entry, world.journal, tools)


def _strike(entry: Entry, world: World, watch: Stopwatch, course: Course) -> None:
    if not entry.blows:
        return
    tools = world.tools(entry)
    for blow in entry.blows:
        course.struck = (*course.struck, blow.strike(tools))
    watch.start()

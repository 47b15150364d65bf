"""Two small vaults, and a standby that only says what it was asked to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from dr_lib.clock import utc_now
from dr_lib.errors import DrError
from dr_lib.model.drill import Assertion, Control, DrillReport, Sensitivity, SmokeResult
from dr_lib.model.rehearsal import Rehearsal
from dr_lib.standby.control import Older
from dr_lib.storage.opening import open_janitor
from dr_lib.wiring import StoreRef
from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.disaster import Ground
from dr_lib.workflows.drill.drill import Order, drill
from dr_lib.workflows.drill.journal import Journal
from dr_lib.workflows.drill.world import World
from tests.world import ASSET
from tests.world import World as Vaults

PASSED = SmokeResult(passed=True, checks=(), cause=None, accelerator="cpu", load_s=1.0, first_output_s=3.0)
SEEN = Sensitivity((Control("a column perturbed", caught=True, detail="x: 1 column differs"),))
PLENTY = 1 << 40


@dataclass
class StandIn:
    """A standby that restores nothing; `fails` by region. `asked` are the regions that it was to restore from."""

    room: int | None = None
    fails: dict[str, DrError] = field(default_factory=dict)
    smoked: SmokeResult = PASSED
    fails_older: dict[str, DrError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    on_restore: Callable[[], None] = lambda: None
    was_torn_down: bool = False
    controlled: list[tuple[str, Older, float]] = field(default_factory=list)
    sensitivity: Sensitivity = SEEN

    def environment(self) -> dict[str, str]:
        return {"disk_free_bytes": str(PLENTY if self.room is None else self.room), "ram_bytes": str(PLENTY)}

    def isolation(self, forbidden: Any, config: str, environ: Any) -> tuple[Assertion, ...]:
        return (Assertion("the source is out of reach", held=True, detail="refused"),)

    def restore(self, config: str, asset: str, point: str, region: str, environ: Any) -> dict[str, Any]:
        self.asked.append(region)
        self.on_restore()
        if region in self.fails:
            raise self.fails[region]
        return {"bytes": 5, "files": 1}

    def smoke(self, asset: Any) -> SmokeResult:
        return self.smoked

    def restore_older(self, config: str, asset: str, point: str, region: str, environ: Any, path: str) -> Older:
        if region in self.fails_older:
            raise self.fails_older[region]
        return Older(point, path, Path("/standby/older"))

    def control(self, asset: Any, seed: str, older: Older, search_s: float) -> Sensitivity:
        self.controlled.append((seed, older, search_s))
        return self.sensitivity

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.was_torn_down = True


@dataclass
class Site:
    """Two vaults with a verified point, and a world over them that a test may change."""

    vaults: Vaults
    standby: StandIn
    world: World

    def drill(self, scenario: str = "region-lost", *, lost: str = "one", at: datetime | None = None) -> DrillReport:
        return drill(Order(self.vaults.runtime.config.asset(ASSET), scenario, lost, at, "digest"), self.world)

    def change(self, **facts: Any) -> None:
        self.world = replace(self.world, **facts)

    def allow(self, **levers: Any) -> None:
        """Levers of the region `one`."""
        regions = self.world.ground.regions
        one = replace(regions["one"], rehearsal=Rehearsal(**levers))
        self.change(ground=replace(self.world.ground, regions={**regions, "one": one}))


def make_runtime(folder: Path) -> Any:
    from dr_lib.runtime import Runtime

    return Runtime.load(folder / "dr.yaml", environ={})


def world_over(vaults: Vaults, standby: StandIn) -> World:
    wiring, folder = vaults.runtime._wiring, vaults.folder
    journal = Journal(folder / "state")

    def standing(name: str, room: int | None) -> Any:
        standby.room = room
        return standby

    return World(
        answers=lambda: wiring.answers(("one", "two")),
        survival_kit=wiring.survival_kit,
        forbidden=wiring.forbidden,
        standby=standing,
        clock=wiring.clock,
        ground=Ground(regions=wiring.config.regions),
        journal=journal,
        tools=lambda entry: Tools(janitor_of(vaults), {"PATH": "/usr/bin:/bin"}, folder, journal.kept(entry.drill)),
        store_clock=utc_now,
    )


def janitor_of(vaults: Vaults) -> Callable[[str], Any]:
    return lambda region: open_janitor(StoreRef(f"file://{vaults.regions[region]}"), region, environ={})

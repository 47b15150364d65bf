"""What a drill may touch, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dr_lib.catalog.observe import Answer
from dr_lib.clock import Clock
from dr_lib.model.asset import Asset
from dr_lib.model.drill import SmokeCheck
from dr_lib.model.kit import KitState
from dr_lib.model.standby import Forbidden
from dr_lib.standby.base import Standby
from dr_lib.workflows.drill.disaster import Ground
from dr_lib.workflows.drill.journal import Journal
from dr_lib.workflows.drill.undo import ToolsFor

TOLERATED_S: Final = 5.0
"""Stores tell whole seconds, and answers travel: a clock that is no further off is right."""


@dataclass(frozen=True, slots=True)
class World:
    """What a drill may touch. `answers` opens the regions afresh; `survival_kit` gives the standby's whole knowledge:
    a configuration that names one region and no source, and that region's credentials alone; `forbidden` names all that
    a standby with that kit must not reach. `standby` makes one by its name, with no more room than that many bytes.
    `store_clock` is the present as a surviving region has it, None when none tells. `skew` is how far `clock` was set
    off on purpose, `link` the bytes a second of a link that is slow on purpose. `kits` looks at the recovery kit of
    each region that answers; `try_database` puts the database of a restored orchestrator into a server, where the
    scenario wants it.
    """

    answers: Callable[[], Mapping[str, Answer]]
    survival_kit: Callable[[Asset, str], tuple[str, dict[str, str]]]
    forbidden: Callable[[Asset, str], Sequence[Forbidden]]
    standby: Callable[[str, int | None], Standby]
    clock: Clock
    ground: Ground
    journal: Journal
    tools: ToolsFor
    store_clock: Callable[[], datetime | None]
    kits: Callable[[], tuple[KitState, ...]] = tuple
    try_database: Callable[[Path], tuple[SmokeCheck, ...]] | None = None
    skew: timedelta = timedelta(0)
    link: int | None = None


def true_clock(world: World) -> tuple[Clock, float | None]:
    """A clock that agrees with a surviving region's, and how many seconds this machine's is ahead of that one.

    A region's clock is the one that dates its objects. None when no region told the time: then this machine's is taken.
    """
    before = world.clock()
    told = world.store_clock()
    if told is None:
        return world.clock, None
    ahead = before + (world.clock() - before) / 2 - told
    if abs(ahead.total_seconds()) <= TOLERATED_S:
        return world.clock, ahead.total_seconds()
    return lambda: world.clock() - ahead, ahead.total_seconds()

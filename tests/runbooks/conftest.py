"""Real regions for a runbook's world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from tests.runbooks.runbook_world import REGIONS, WORLDS, RunbookWorld


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Callable[[str], RunbookWorld]]:
    """Makes the world of a runbook, by the runbook's name; everything in it is ended with the test."""
    started: list[SeaweedRegion] = []
    ending = ExitStack()

    def make(name: str) -> RunbookWorld:
        folder = tmp_path / "on call"
        folder.mkdir()
        for region in REGIONS:  # each takes its ports before the next one chooses
            started.append(SeaweedRegion(folder / region, f"{region}-key", f"{region}-secret"))
            started[-1].start()
        world = RunbookWorld(folder, dict(zip(REGIONS, started, strict=True)))
        ending.push(world.running)
        WORLDS[name](world)
        return world

    yield make
    ending.close()
    with ThreadPoolExecutor(len(REGIONS)) as pool:
        list(pool.map(SeaweedRegion.stop, started))

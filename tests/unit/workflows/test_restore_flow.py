"""What is in flight is bounded in bytes and in requests, whatever is asked for."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from dr_lib.policy.streams import FIRST, MOST
from dr_lib.workflows.restore import fetch
from dr_lib.workflows.restore.flow import MEMORY, ByteBudget, Streams
from tests.world import ASSET, make_world, tree

MIB = 1 << 20


def test_32_streams_of_16_mib_stay_within_the_memory_of_a_restore():
    budget, seen = ByteBudget(MEMORY), []

    def fetch_one(_: int) -> None:
        with budget.hold(16 * MIB):
            seen.append(budget.held)

    with ThreadPoolExecutor(MOST) as pool:
        list(pool.map(fetch_one, range(200)))
    assert len(seen) == 200
    assert max(seen) <= budget.peak <= MEMORY < 600 * MIB
    assert budget.held == 0


def test_what_is_larger_than_the_budget_gets_its_turn_alone():
    budget, held = ByteBudget(10), []

    def hold_much() -> None:
        with budget.hold(25):
            held.append(budget.held)

    waiting = threading.Thread(target=hold_much)
    with budget.hold(10):
        waiting.start()
        assert held == []
    waiting.join(10)
    assert held == [25]


def test_no_more_requests_than_the_pace_says_and_it_follows_the_rate():
    moments = iter(range(1000))
    streams = Streams(now=lambda: float(next(moments)))
    with ExitStack() as stack:
        for _ in range(FIRST):
            stack.enter_context(streams.one(MIB))
        late = threading.Thread(target=lambda: streams.one(MIB).__enter__(), daemon=True)
        late.start()
        assert streams._active == FIRST
    late.join(10)
    assert streams.pace.before == FIRST
    assert streams.pace.streams > FIRST


def test_a_restore_of_many_ranges_holds_no_more_than_its_budget(tmp_path: Path, monkeypatch):
    world = make_world(tmp_path / "w", ("one",))
    (world.source / "file").write_bytes(np.random.default_rng(0).bytes(40 * MIB))
    world.runtime.backup(ASSET)
    made: list[ByteBudget] = []

    def small(_: int) -> ByteBudget:
        made.append(ByteBudget(17 * MIB))
        return made[-1]

    monkeypatch.setattr(fetch, "ByteBudget", small)
    world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert tree(world.folder / "restored") == tree(world.source)
    assert 8 * MIB < made[0].peak <= 17 * MIB

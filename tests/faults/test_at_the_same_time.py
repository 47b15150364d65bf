"""Two runs at the same time: both end well, nothing is lost, and every point is whole."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from dr_lib.runtime import Runtime
from dr_lib.use_cases import backing_up
from tests.world import ASSET, World, make_world, tree


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", ("one", "two"), limits={"shard": "1MiB", "workers": 2})
    for number in range(4):
        (world.source / f"file {number}").write_bytes(os.urandom(400_000))
    return world


def together(world: World, work, times: int = 2) -> list:
    """`work` on that many runtimes of their own, begun at one moment."""
    start = Barrier(times)

    def begin(_: int):
        runtime = Runtime.load(world.config(), environ={})
        start.wait(30)
        return work(runtime)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(begin, range(times)))


def every_point_is_whole(world: World, points: int) -> None:
    results = world.runtime.verify(ASSET)["results"]
    assert [r["findings"] for r in results] == [[]] * (points * 2)
    for number, point in enumerate(world.runtime.points(ASSET)):
        for region in world.regions:
            target = world.folder / f"restored {number} {region}"
            world.runtime.restore(ASSET, str(target), point=point["point"], region=region)
            assert tree(target) == tree(world.source)


def test_two_backups_of_one_asset(world: World):
    done = together(world, lambda runtime: runtime.backup(ASSET))
    assert len({d["point"] for d in done}) == 2
    every_point_is_whole(world, 2)


def test_two_replications_of_one_point(world: World):
    world.runtime.backup(ASSET, ["one"])
    together(world, lambda runtime: runtime.replicate(ASSET))
    every_point_is_whole(world, 1)


def test_two_tries_of_one_run_on_different_machines(world: World, monkeypatch):
    """The orchestrator lost sight of a worker and started another: the environments differ, the point is one."""
    run = world.runtime.plan_backup(ASSET)["run"]
    environments = iter([{"host": "a"}, {"host": "b"}])
    monkeypatch.setattr(backing_up, "capture", lambda: next(environments))
    ready = Barrier(2)

    def steps(runtime: Runtime) -> str:
        for shard in range(2):
            runtime.store_shard(ASSET, "one", run, shard)
        runtime.record_proof(ASSET, "one", run)
        ready.wait(30)
        return runtime.commit_backup(ASSET, "one", run)["point"]

    assert together(world, steps) == [run, run]
    world.runtime.replicate(ASSET)
    every_point_is_whole(world, 1)


def test_two_verifications_of_one_copy(world: World):
    world.runtime.backup(ASSET)
    together(world, lambda runtime: runtime.verify(ASSET))
    assert set(world.runtime.points(ASSET)[0]["copies"].values()) == {"verified"}

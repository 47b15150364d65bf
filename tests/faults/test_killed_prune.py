"""A prune that is killed before any of its steps, that finds its store full, or that meets another one."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import IO

import pytest

from dr_lib.errors import OutOfSpace
from dr_lib.storage.local import LocalStore
from tests.faults.dying import DONE, dies_before
from tests.faults.test_prune_and_writers import live, put_back, restored, snapshot
from tests.pruning import LATER, Time, all_whole, committed, objects, pruned_world, runtime_at, verified
from tests.world import ASSET, World, tree


@pytest.fixture
def world(tmp_path: Path, time: Time) -> World:
    """A point that may go, and one that stays."""
    world = pruned_world(tmp_path / "w", time)
    live(world, "first")
    verified(world)
    live(world, "second")
    verified(world)
    time.passes(LATER)
    return world


def left_over(world: World) -> set[str]:
    return objects(world) - objects(world, kind="prunes/")


def test_killed_anywhere_it_goes_on_and_no_point_lacks_a_pack_meanwhile(world: World, time: Time):
    world.runtime.prune(apply=True)
    time.passes(LATER)
    kept = snapshot(world)
    world.runtime.prune(apply=True)
    expected, [new] = left_over(world), committed(world)
    put_back(world, kept)
    for step in count(1):
        outcome = dies_before(step, lambda: world.runtime.prune(apply=True))
        if outcome == DONE:
            assert step > 12
            return
        assert outcome == "SIGKILL", step
        all_whole(world)
        found = world.runtime.prune(apply=True)
        assert (found["problems"], left_over(world), committed(world)) == ([], expected, [new]), step
        assert all(state == "verified" for p in world.runtime.points(ASSET) for state in p["copies"].values()), step
        put_back(world, kept)


def test_killed_while_it_plans_it_deletes_nothing_and_plans_again(world: World, time: Time):
    kept, before = snapshot(world), objects(world)
    for step in count(1):
        outcome = dies_before(step, lambda: world.runtime.prune(apply=True))
        if outcome == DONE:
            assert step > 4
            return
        assert left_over(world) == before
        found = world.runtime.prune(apply=True)["regions"][0]
        assert found["plan"] or found["waiting"], step
        put_back(world, kept)


def test_two_janitors_at_once_delete_the_same(world: World, time: Time):
    world.runtime.prune(apply=True)
    time.passes(LATER)
    start = Barrier(2)

    def work(_: int) -> list[str]:
        runtime = runtime_at(world, time)
        start.wait(30)
        return runtime.prune(apply=True)["problems"]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, range(2))) == [[], []]
    all_whole(world)
    live(world, "first")
    assert restored(world, "one", verified(world)) == tree(world.source)


def fill(ballast: IO[bytes]) -> None:
    while True:
        ballast.write(b"x" * 4096)


class Full:
    """A store that takes nothing more: what it holds, less what was deleted, is all that fits."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = world.regions["one"]
        self.room = self.used()
        self.create = LocalStore.create
        take = self.take

        def create(store: LocalStore, key: str, data: bytes) -> None:
            take(store, key, data)

        monkeypatch.setattr(LocalStore, "create", create)

    def used(self) -> int:
        return sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())

    def take(self, store: LocalStore, key: str, data: bytes) -> None:
        if self.used() + len(data) > self.room:
            raise OutOfSpace("no space left on device", where=store.label)
        self.create(store, key, data)


def test_what_an_older_plan_names_goes_though_the_store_is_full(world: World, time: Time, monkeypatch):
    world.runtime.prune(apply=True)
    old, new = committed(world)
    time.passes(LATER)
    Full(world, monkeypatch)
    found = world.runtime.prune(apply=True)
    [done] = found["regions"][0]["executed"]
    assert (done["state"], done["points"], found["problems"]) == ("done", [old], [])
    assert committed(world) == [new]
    all_words = world.runtime.prune()  # the point is known to have expired: nothing of it is lost
    assert all_words["problems"] == []
    assert all(r["ok"] for r in world.runtime.verify(ASSET, mode="structure")["results"])


def test_a_plan_that_does_not_fit_is_said_with_what_to_do(world: World, monkeypatch):
    Full(world, monkeypatch)
    before = objects(world)
    with pytest.raises(OutOfSpace, match=r"no room for the plan.*older plans") as raised:
        world.runtime.prune(apply=True)
    assert raised.value.exit_code == 6
    assert objects(world) == before


def test_on_a_disk_that_is_really_full(tmp_path: Path, time: Time):
    """A small tmpfs, filled to its last byte; where none can be mounted, `Full` above stands for it."""
    disk = tmp_path / "w" / "vault one"
    disk.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        return
    try:
        _prune_on_a_full_disk(tmp_path / "w", disk, time)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _prune_on_a_full_disk(folder: Path, disk: Path, time: Time) -> None:
    world = pruned_world(folder, time)
    live(world, "first")
    verified(world)
    live(world, "second")
    new = verified(world)
    time.passes(LATER)
    world.runtime.prune(apply=True)
    time.passes(LATER)
    with (disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space left"):
        fill(ballast)
    with pytest.raises(OutOfSpace):
        world.runtime.backup(ASSET)
    assert world.runtime.prune(apply=True)["problems"] == []
    assert committed(world) == [new]
    assert len(objects(world, kind="packs/")) == len(world.vault("one").summary(ASSET, new).packs)

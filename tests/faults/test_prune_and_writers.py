"""A writer that stands still for days at any of its steps while prunes run: no committed point ever lacks a pack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound, Refused
from dr_lib.storage.local import LocalStore
from tests.pruning import LATER, Time, all_whole, committed, pruned_world, runtime_at, verified
from tests.world import ASSET, World, tree

STEPS = ("create", "list", "delete")
"""What changes a store, or asks it what there is: between two of these nothing that matters can happen."""
CONTENT = {name: os.urandom(30_000) for name in ("first", "second", "third")}


class Standstill:
    """Lets a call of one store's method wait, at the n-th of them, until something else has happened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.left = 0
        self.happens: Callable[[], None] = lambda: None
        for name in STEPS:
            monkeypatch.setattr(LocalStore, name, self._counted(getattr(LocalStore, name), root))

    def at(self, step: int, happens: Callable[[], None]) -> None:
        self.left, self.happens = step, happens

    @property
    def came(self) -> bool:
        """Whether the step was reached."""
        return self.left == 0

    def _counted(self, work: Callable[..., object], root: Path) -> Callable[..., object]:
        def counted(store: LocalStore, *given: object) -> object:
            if store.root == root and self.left > 0:
                self.left -= 1
                if self.left == 0:
                    self.happens()
            return work(store, *given)

        return counted


def live(world: World, content: str) -> None:
    (world.source / "file").write_bytes(CONTENT[content])


def snapshot(world: World) -> Path:
    """The vaults as they stand, by hard links, so that every object keeps its version."""
    kept = world.folder / "snapshot"
    for path in world.regions.values():
        shutil.copytree(path, kept / path.name, copy_function=os.link)
    return kept


def put_back(world: World, kept: Path) -> None:
    for path in world.regions.values():
        shutil.rmtree(path)
        shutil.copytree(kept / path.name, path, copy_function=os.link)


def days_of_prunes(world: World, time: Time, region: str) -> Callable[[], None]:
    def happens() -> None:
        for _ in range(3):  # execute what was planned, plan what the writer left, execute that
            time.passes(LATER)
            runtime_at(world, time).prune(region=region, apply=True)

    return happens


def every_standstill(standstill: Standstill, happens: Callable[[], None], work: Callable[[], object]) -> Iterator[bool]:
    """Do `work` standing still at its first step, its second and so on; whether it ended well, each time."""
    for step in count(1):
        standstill.at(step, happens)
        try:
            work()
        except (Refused, IntegrityError, NotFound):
            ended_well = False
        else:
            ended_well = True
        if not standstill.came:
            assert step > 8, "the work has too few steps for this to mean anything"
            return
        yield ended_well


def restored(world: World, region: str, point: str) -> dict:
    target = world.folder / "restored"
    world.runtime.restore(ASSET, str(target), point=point, region=region)
    found = tree(target)
    shutil.rmtree(target)
    return found


@pytest.mark.parametrize("content", ["first", "third"], ids=["what was planned comes back", "something new"])
def test_a_backup_that_stands_still(tmp_path: Path, time: Time, monkeypatch, content: str):
    """Its source holds again what an expired point held, whose packs a plan names: the plan is due when it stands."""
    world = pruned_world(tmp_path / "w", time)
    live(world, "first")
    verified(world)
    live(world, "second")
    verified(world)
    time.passes(LATER)
    world.runtime.prune(apply=True)
    live(world, content)
    kept, ahead = snapshot(world), time.ahead
    standstill = Standstill(monkeypatch, world.regions["one"])
    outcomes = []
    happens = days_of_prunes(world, time, "one")
    for ended_well in every_standstill(standstill, happens, lambda: world.runtime.backup(ASSET)):
        outcomes.append(ended_well)
        all_whole(world)
        for point in committed(world):
            restored(world, "one", point)
        again = str(world.runtime.backup(ASSET)["point"])
        assert restored(world, "one", again) == tree(world.source)
        all_whole(world)
        put_back(world, kept)
        time.ahead = ahead
    assert True in outcomes
    assert False in outcomes


@pytest.mark.parametrize("others", ["a backup", "a replication", "another janitor"])
def test_a_prune_that_stands_still(tmp_path: Path, time: Time, monkeypatch, others: str):
    """Meanwhile somebody stores again what its plan names, or deletes it as well."""
    world = pruned_world(tmp_path / "w", time, ("one", "two"))
    live(world, "first")
    verified(world)
    live(world, "second")
    verified(world)
    time.passes(LATER)
    world.runtime.prune(region="one", apply=True)
    time.passes(LATER)
    live(world, "first")
    if others == "a replication":
        world.runtime.backup(ASSET, ["two"])
    kept, ahead = snapshot(world), time.ahead
    standstill = Standstill(monkeypatch, world.regions["one"])
    work = {
        "a backup": lambda: world.runtime.backup(ASSET, ["one"]),
        "a replication": lambda: world.runtime.replicate(ASSET, to=["one"]),
        "another janitor": lambda: world.runtime.prune(region="one", apply=True),
    }[others]
    refused = []

    def happens() -> None:
        try:
            work()
        except (Refused, IntegrityError, NotFound) as error:
            refused.append(error.exit_code)

    prune = runtime_at(world, time).prune
    for _ in every_standstill(standstill, happens, lambda: prune(region="one", apply=True)):
        all_whole(world)
        prune(region="one", apply=True)
        work()
        all_whole(world)
        put_back(world, kept)
        time.ahead = ahead
    if others != "another janitor":
        assert refused, "no writer ever met a prune that was deleting what it needs"


def test_a_replication_that_stands_still(tmp_path: Path, time: Time, monkeypatch):
    """The point that it copies needs packs that lie in the target, where a plan names them."""
    world = pruned_world(tmp_path / "w", time, ("one", "two"))
    live(world, "first")
    verified(world)
    live(world, "second")
    verified(world)
    time.passes(LATER)
    world.runtime.prune(region="two", apply=True)
    live(world, "first")
    point = str(world.runtime.backup(ASSET, ["one"])["point"])
    kept, ahead = snapshot(world), time.ahead
    standstill = Standstill(monkeypatch, world.regions["two"])
    happens = days_of_prunes(world, time, "two")
    outcomes = []
    for ended_well in every_standstill(standstill, happens, lambda: world.runtime.replicate(ASSET)):
        outcomes.append(ended_well)
        all_whole(world)
        world.runtime.replicate(ASSET)
        assert point in committed(world, "two")
        assert restored(world, "two", point) == tree(world.source)
        put_back(world, kept)
        time.ahead = ahead
    assert True in outcomes


def test_a_writer_whose_run_was_closed_is_told_to_back_up_again(tmp_path: Path, time: Time):
    world = pruned_world(tmp_path / "w", time)
    live(world, "first")
    verified(world)
    live(world, "second")
    run = world.runtime.plan_backup(ASSET)["run"]
    world.runtime.store_shard(ASSET, "one", run, 0)
    world.runtime.record_proof(ASSET, "one", run)
    time.passes(LATER)
    world.runtime.prune(apply=True)
    for _ in range(2):  # before and after its records went
        with pytest.raises(Refused, match=r"given up for dead.*back up again"):
            world.runtime.commit_backup(ASSET, "one", run)
        time.passes(LATER)
        world.runtime.prune(apply=True)
    assert restored(world, "one", verified(world)) == tree(world.source)

"""Killed with SIGKILL before any of its steps, a command can be given again, and nothing half-done shows meanwhile."""

import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.faults.dying import DONE, dies_before
from tests.world import ASSET, World, make_world, tree, weights


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", limits={"shard": "1MiB", "workers": 1})
    fill(world)
    return world


def fill(world: World) -> None:
    """Two shards, a link, odd modes, an empty directory."""
    (world.source / "empty").mkdir()
    (world.source / "large").write_bytes(os.urandom(600_000))
    (world.source / "second").write_bytes(os.urandom(600_000))
    weights(world.source / "w.safetensors", seed=1)
    (world.source / "link").symlink_to("large")
    (world.source / "large").chmod(0o440)
    (world.source / "empty").chmod(0o500)


def every_death(work: Callable[[], object]):
    """Kill `work` before its first step, its second and so on; ends when it lives. Gives the step after each death."""
    for step in count(1):
        outcome = dies_before(step, work)
        if outcome == DONE:
            assert step > 8, "the work has too few steps for its deaths to mean anything"
            return
        assert outcome == "SIGKILL", f"step {step}"
        yield step


def restored_whole(world: World, region: str, point: str, step: int) -> None:
    target = world.folder / f"restored {step} {region} {point}"
    world.runtime.restore(ASSET, str(target), point=point, region=region)
    assert tree(target) == tree(world.source)
    shutil.rmtree(target)


def committed(world: World, region: str) -> set[str]:
    return {path.stem for path in world.manifests(region)}


def emptied(world: World, region: str) -> None:
    """The region as `init` left it."""
    for folder in world.regions[region].iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)


def test_a_killed_backup_shows_no_point_that_is_not_whole_and_wastes_no_pack(world: World):
    for step in every_death(lambda: world.runtime.backup(ASSET, ["one"])):
        before, packs = committed(world, "one"), set(world.packs("one"))
        for point in before:
            restored_whole(world, "one", point, step)  # it died after the commit
        again = world.runtime.backup(ASSET, ["one"])
        new = set(world.packs("one")) - packs
        assert again["new_bytes"] == sum(path.stat().st_size for path in new), step
        assert sum(path.stat().st_size for path in world.packs("one")) < 2_700_000, "what was stored is used"
        assert committed(world, "one") == before | {again["point"]}
        assert all(r["ok"] for r in world.runtime.verify(ASSET, region="one")["results"]), step
        restored_whole(world, "one", again["point"], step)
        emptied(world, "one")


def test_a_killed_replication_shows_no_point_that_is_not_whole(world: World):
    world.runtime.backup(ASSET, ["one"])
    point = committed(world, "one").pop()
    for step in every_death(lambda: world.runtime.replicate(ASSET)):
        if committed(world, "two"):
            restored_whole(world, "two", point, step)
        world.runtime.replicate(ASSET)
        assert committed(world, "two") == {point}
        restored_whole(world, "two", point, step)
        emptied(world, "two")


def test_a_killed_restore_leaves_nothing_or_everything_in_the_targets_place(world: World):
    world.runtime.backup(ASSET, ["one"])
    target = world.folder / "restored"

    def restore() -> None:
        world.runtime.restore(ASSET, str(target))

    for step in every_death(restore):
        if target.exists():
            assert tree(target) == tree(world.source), step
        else:
            restore()
            assert tree(target) == tree(world.source), step
        shutil.rmtree(target)
        (world.folder / ".restored.restoring.journal").unlink(missing_ok=True)
        assert not list(world.folder.glob(".restored.*")), step


def test_a_killed_verification_says_nothing_or_the_truth(world: World):
    world.runtime.backup(ASSET, ["one"])
    for step in every_death(lambda: world.runtime.verify(ASSET, region="one")):
        [point] = world.runtime.points(ASSET)
        assert point["copies"]["one"] in ("complete", "verified"), step
        assert world.runtime.verify(ASSET, region="one")["results"][0]["ok"]
        assert world.runtime.points(ASSET)[0]["copies"]["one"] == "verified"
        shutil.rmtree(world.regions["one"] / "events")

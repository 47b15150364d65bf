"""Replication makes an equal copy, sends nothing twice, and never copies damage."""

import os
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound
from tests.world import ASSET, World, change, flip, make_world, tree


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", ("one", "two", "three"))
    (world.source / "file").write_bytes(os.urandom(300_000))
    world.runtime.backup(ASSET, ["one"])
    return world


def objects(region: Path, *kinds: str) -> dict[str, bytes]:
    return {str(p.relative_to(region)): p.read_bytes() for k in kinds for p in (region / k).rglob("*") if p.is_file()}


def test_every_region_gets_the_same_objects(world: World):
    done = world.runtime.replicate(ASSET)
    assert [(c["region"], c["from"]) for c in done["copied"]] == [("two", "one"), ("three", "one")]
    first, second, third = (objects(path, "packs", "points") for path in world.regions.values())
    assert first == second == third


def test_what_is_there_is_not_sent_again(world: World):
    world.runtime.replicate(ASSET)
    assert world.runtime.replicate(ASSET)["copied"] == []
    (world.source / "more").write_bytes(os.urandom(1000))
    world.runtime.backup(ASSET, ["one"])
    sent = [c["new_bytes"] for c in world.runtime.replicate(ASSET)["copied"]]
    assert len(sent) == 2
    assert max(sent) < 3000


def test_any_single_region_restores(world: World):
    world.runtime.replicate(ASSET, to=["three"])
    world.source.rename(world.folder / "lost source")
    world.regions["one"].rename(world.folder / "lost region")
    target = world.folder / "restored"
    world.runtime.restore(ASSET, str(target), region="three")
    assert tree(target) == tree(world.folder / "lost source")


def test_damage_is_not_copied(world: World):
    change(world.packs("one")[0], flip)
    with pytest.raises(IntegrityError, match="not those its name promises"):
        world.runtime.replicate(ASSET, to=["two"])
    assert world.manifests("two") == []


def test_a_damaged_pack_comes_from_another_source(world: World):
    world.runtime.replicate(ASSET, to=["two"])
    change(world.packs("one")[0], flip)
    done = world.runtime.replicate(ASSET, to=["three"])["copied"][0]
    assert done["repairs"]
    assert world.packs("three")[0].read_bytes() == world.packs("two")[0].read_bytes()


def test_a_replica_is_good_for_deduplication(world: World):
    world.runtime.replicate(ASSET, to=["two"])
    assert world.runtime.backup(ASSET, ["two"])["new_bytes"] == 0


def test_a_point_that_nobody_has_is_not_found(world: World):
    with pytest.raises(NotFound):
        world.runtime.replicate(ASSET, point="20200101T000000000000Z-00000000")

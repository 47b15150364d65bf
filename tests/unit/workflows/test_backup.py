"""A backup commits a point when all of it is stored and the source held still, and never otherwise."""

import os
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound, Refused, SourceUnstable
from dr_lib.storage.local import LocalStore
from tests.world import ASSET, World, make_world, tree, weights


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", limits={"shard": "1MiB", "workers": 2})
    (world.source / "one").write_bytes(os.urandom(700_000))
    (world.source / "two").write_bytes(os.urandom(700_000))
    return world


def step_by_step(world: World) -> str:
    plan = world.runtime.plan_backup(ASSET)
    for shard in range(plan["shards"]):
        world.runtime.store_shard(ASSET, plan["region"], plan["run"], shard)
    world.runtime.record_proof(ASSET, plan["region"], plan["run"])
    return plan["run"]


def test_the_document_of_a_backup_says_what_was_stored(world: World):
    done = world.runtime.backup(ASSET)
    assert done["logical_bytes"] == 1_400_000
    assert done["files"] == 2
    assert done["copies"] == {"one": "complete", "two": "complete"}
    assert done["new_bytes"] == sum(path.stat().st_size for path in world.packs("one"))
    assert 1_400_000 <= done["stored_bytes"] < done["new_bytes"]


def test_an_unchanged_asset_is_not_stored_again(world: World):
    world.runtime.backup(ASSET)
    before = world.packs("one")
    again = world.runtime.backup(ASSET)
    assert again["new_bytes"] == 0
    assert world.packs("one") == before
    assert len(world.manifests("two")) == 2


def test_one_tensor_stands_once_however_often_it_is_named(world: World):
    weights(world.source / "a.safetensors", seed=1)
    first = world.runtime.backup(ASSET)
    weights(world.source / "b.safetensors", seed=1)
    assert world.runtime.backup(ASSET)["new_bytes"] < 20_000 < first["new_bytes"]


def test_a_point_is_invisible_until_it_is_committed(world: World):
    run = step_by_step(world)
    assert [p["copies"]["one"] for p in world.runtime.points(ASSET)] == ["pending"]
    with pytest.raises(NotFound):
        world.runtime.restore(ASSET, str(world.folder / "restored"))
    world.runtime.commit_backup(ASSET, "one", run)
    world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert tree(world.folder / "restored") == tree(world.source)


def test_steps_that_are_told_twice_do_their_work_once(world: World):
    run = step_by_step(world)
    before = world.packs("one")
    for _ in range(2):
        world.runtime.store_shard(ASSET, "one", run, 0)
        world.runtime.record_proof(ASSET, "one", run)
        committed = world.runtime.commit_backup(ASSET, "one", run)
    (world.source / "one").write_bytes(b"moved on since")
    assert world.runtime.commit_backup(ASSET, "one", run)["point"] == committed["point"]
    assert (world.packs("one"), len(world.manifests("one"))) == (before, 1)


def test_a_commit_waits_for_every_shard(world: World):
    plan = world.runtime.plan_backup(ASSET)
    world.runtime.store_shard(ASSET, "one", plan["run"], 0)
    with pytest.raises(Refused, match=r"shard-0001 .* is not stored yet"):
        world.runtime.commit_backup(ASSET, "one", plan["run"])


@pytest.mark.parametrize(
    "move",
    [
        lambda source: (source / "one").write_bytes(b"shorter"),
        lambda source: (source / "three").touch(),
        lambda source: (source / "two").unlink(),
        lambda source: (source / "two").rename(source / "four"),
        lambda source: source.rename(source.parent / "elsewhere"),
    ],
)
def test_a_source_that_moves_before_the_commit_commits_nothing(world: World, move):
    run = step_by_step(world)
    move(world.source)
    with pytest.raises(SourceUnstable, match="during the backup"):
        world.runtime.commit_backup(ASSET, "one", run)
    assert world.manifests("one") == []


def test_a_file_that_changes_while_it_is_read_commits_nothing(world: World, monkeypatch):
    create = LocalStore.create

    def create_and_disturb(self: LocalStore, key: str, data: bytes) -> None:
        create(self, key, data)
        if key.startswith("packs/"):
            (world.source / "two").write_bytes(os.urandom(700_000))

    monkeypatch.setattr(LocalStore, "create", create_and_disturb)
    with pytest.raises(SourceUnstable):
        world.runtime.backup(ASSET)
    assert world.manifests("one") == []


def test_a_source_that_does_not_exist_is_not_found(world: World):
    world.source.rename(world.folder / "elsewhere")
    with pytest.raises(NotFound, match="source"):
        world.runtime.backup(ASSET)


def test_a_store_that_forgets_a_pack_commits_nothing(world: World):
    run = step_by_step(world)
    world.packs("one")[0].unlink()
    with pytest.raises(IntegrityError, match="acknowledged"):
        world.runtime.commit_backup(ASSET, "one", run)


def test_a_region_whose_directory_is_missing_is_a_misconfiguration_and_no_outage(world: World):
    world.regions["one"].rename(world.folder / "gone")
    with pytest.raises(NotFound, match="missing"):
        world.runtime.backup(ASSET)


def test_a_backup_that_was_interrupted_reuses_the_packs_it_stored(world: World):
    plan = world.runtime.plan_backup(ASSET)
    world.runtime.store_shard(ASSET, "one", plan["run"], 0)
    for record in (world.regions["one"] / "index").iterdir():
        record.unlink()  # as if it had died between storing the pack and indexing it
    again = world.runtime.backup(ASSET, ["one"])
    assert again["new_bytes"] < 710_000 + 1000
    assert len(world.packs("one")) == 2

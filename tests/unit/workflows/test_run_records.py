"""What the steps of a backup leave for each other is checked as it is read: it goes into the manifest."""

from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError
from tests.world import ASSET, World, change, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", ("one",))
    (world.source / "file").write_bytes(b"weights " * 100)
    return world


def planned(world: World) -> tuple[str, Path]:
    run = world.runtime.plan_backup(ASSET)["run"]
    world.runtime.store_shard(ASSET, "one", run, 0)
    world.runtime.record_proof(ASSET, "one", run)
    return run, world.regions["one"] / "runs" / ASSET / run


@pytest.mark.parametrize("name", ["plan", "shard-0000", "proof"])
def test_no_changed_or_lost_bytes_of_a_record_are_committed(world: World, name: str):
    run, folder = planned(world)
    path = folder / f"{name}.json.zst"
    whole = path.read_bytes()
    unused = 0
    for at in range(0, len(whole), 3):
        for damaged in (whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :], whole[:at]):
            change(path, lambda _, data=damaged: data)
            try:
                world.runtime.commit_backup(ASSET, "one", run)
            except IntegrityError:
                continue
            unused += 1  # a bit that zstd does not use: the record is the right one
            point = world.manifests("one").pop()
            assert world.runtime.verify(ASSET)["results"][0]["ok"]
            point.unlink()
    assert unused < 5
    change(path, lambda _: whole)
    world.runtime.commit_backup(ASSET, "one", run)


def test_a_record_of_another_run_is_not_taken_for_this_ones(world: World):
    first, other = planned(world)
    second, folder = planned(world)
    change(folder / "shard-0000.json.zst", lambda _: (other / "shard-0000.json.zst").read_bytes())
    with pytest.raises(IntegrityError, match="another run"):
        world.runtime.commit_backup(ASSET, "one", second)
    world.runtime.commit_backup(ASSET, "one", first)

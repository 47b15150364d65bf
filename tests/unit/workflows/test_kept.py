"""The second backup reads what changed and nothing else; what it kept is as good as what it read."""

import os
from pathlib import Path

import pytest

from dr_lib.sources.directory import DirectorySource
from tests.keys import keys
from tests.world import ASSET, World, make_world, tree, weights

YESTERDAY = 1_700_000_000


def settled(root: Path) -> None:
    """Give every file a modification time that is long past."""
    for path in root.rglob("*"):
        os.utime(path, (YESTERDAY, YESTERDAY), follow_symlinks=False)


@pytest.fixture(params=["clear", "sealed"])
def world(request, tmp_path) -> World:
    more = {"environ": keys().all(), **keys().config()} if request.param == "sealed" else {}
    made = make_world(tmp_path / "world", limits={"shard": "1MiB"}, **more)
    weights(made.source / "model.safetensors")
    (made.source / "sub").mkdir()
    for number in range(5):
        (made.source / "sub" / f"file-{number}").write_bytes(b"%d" % number * 400)
    (made.source / "empty").touch()
    settled(made.source)
    return made


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """Paths of the files that were read, in order."""
    seen: list[str] = []
    read = DirectorySource.read

    def noted(self, file, offset, length):
        seen.append(file.path)
        return read(self, file, offset, length)

    monkeypatch.setattr(DirectorySource, "read", noted)
    return seen


def restored(world: World, name: str) -> dict:
    world.runtime.restore(ASSET, str(world.folder / name))
    return tree(world.folder / name)


def test_nothing_is_read_that_stands(world, reads):
    first = world.runtime.backup(ASSET)
    assert {"model.safetensors", *(f"sub/file-{n}" for n in range(5))} <= set(reads)
    reads.clear()
    second = world.runtime.backup(ASSET)
    assert reads == []
    assert (second["new_bytes"], second["stored_bytes"]) == (0, first["stored_bytes"])
    assert second["point"] != first["point"]
    assert restored(world, "out") == tree(world.source)
    assert all(result["ok"] for result in world.runtime.verify(ASSET)["results"])


def test_only_the_changed_file_is_read_again_and_again(world, reads):
    world.runtime.backup(ASSET)
    for content in (b"other", b"and another"):
        reads.clear()
        (world.source / "sub" / "file-3").write_bytes(content)
        world.runtime.backup(ASSET)
        assert set(reads) == {"sub/file-3"}
        assert restored(world, content.decode()) == tree(world.source)


def test_a_change_that_kept_size_and_time_shows_by_the_inode(world, reads):
    world.runtime.backup(ASSET)
    reads.clear()
    changed = world.source / "sub" / "file-1"
    changed.write_bytes(b"x" * 400)
    os.utime(changed, (YESTERDAY, YESTERDAY))
    world.runtime.backup(ASSET)
    assert set(reads) == {"sub/file-1"}
    assert restored(world, "out") == tree(world.source)


def test_renamed_removed_and_new_modes_are_seen(world, reads):
    world.runtime.backup(ASSET)
    (world.source / "sub" / "file-0").rename(world.source / "moved")
    (world.source / "sub" / "file-4").unlink()
    (world.source / "model.safetensors").chmod(0o640)
    reads.clear()
    second = world.runtime.backup(ASSET)
    assert second["new_bytes"] == 0
    assert restored(world, "out") == tree(world.source)


def test_a_file_whose_pack_is_gone_is_read_and_stored_again(world, reads):
    world.runtime.backup(ASSET)
    for path in world.packs("one"):
        path.unlink()
    reads.clear()
    world.runtime.backup(ASSET)
    assert "model.safetensors" in reads
    assert restored(world, "out") == tree(world.source)


def test_a_fresh_file_is_read_again(world, reads):
    fresh = world.source / "sub" / "file-2"
    fresh.write_bytes(b"a moment ago")
    world.runtime.backup(ASSET)
    reads.clear()
    world.runtime.backup(ASSET)
    assert set(reads) == {"sub/file-2"}


def test_damaged_records_cost_a_full_read_and_nothing_else(world, reads):
    world.runtime.backup(ASSET)
    for record in (world.regions["one"] / "runs").rglob("shard-*"):
        record.chmod(0o600)
        record.write_bytes(record.read_bytes()[:-1])
    reads.clear()
    assert world.runtime.backup(ASSET)["new_bytes"] == 0
    assert "model.safetensors" in reads
    assert restored(world, "out") == tree(world.source)


def test_a_proof_is_recorded_again_only_when_something_it_rests_on_changed(tmp_path, monkeypatch):
    from dr_lib.use_cases import backing_up

    asset = {"kind": "dataset", "expectations": str(tmp_path / "suite.json")}
    (tmp_path / "suite.json").write_text("{}")
    world = make_world(tmp_path / "world", ("one",), asset=asset)
    (world.source / "rows.csv").write_text("a,b\n1,2\n")
    settled(world.source)
    os.utime(world.source, (YESTERDAY, YESTERDAY))
    recorded: list[str] = []

    def record(asset, directory):
        recorded.append(asset.name)
        return {"tables.json": b'{"tables": {}, "record": %d}' % len(recorded)}

    monkeypatch.setattr(backing_up, "record_proof", record)
    points = [world.runtime.backup(ASSET)["point"] for _ in range(2)]
    assert len(recorded) == 1
    world.runtime.restore(ASSET, str(tmp_path / "out"), points[1], attachments=str(tmp_path / "proof"))
    assert (tmp_path / "proof" / "tables.json").read_bytes() == b'{"tables": {}, "record": 1}'
    (tmp_path / "suite.json").write_text("{ }")
    world.runtime.backup(ASSET)
    assert len(recorded) == 2
    (world.source / "more.csv").write_text("a,b\n")
    world.runtime.backup(ASSET)
    assert len(recorded) == 3

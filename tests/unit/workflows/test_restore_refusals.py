"""A restore that cannot be right leaves an error and nothing in its target's place."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound, OutOfSpace, Refused, StoreUnavailable
from dr_lib.storage.local import LocalStore
from dr_lib.workflows.restore.staging import Staging
from tests.world import ASSET, World, change, flip, make_world, tree

DIE_IN_STAGING = """
import os
from pathlib import Path
from dr_lib.workflows.restore.staging import Staging
with Staging(Path({target!r})) as staging:
    (staging.root / "half").touch()
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w")
    (world.source / "file").write_bytes(os.urandom(1 << 20))
    world.runtime.backup(ASSET)
    return world


def nothing_beside(target: Path) -> bool:
    return not [path.name for path in target.parent.iterdir() if "restor" in path.name]


@pytest.mark.parametrize("occupy", [lambda t: (t.mkdir(), (t / "x").touch()), Path.touch, lambda t: t.symlink_to("/")])
def test_a_target_that_is_in_use_is_refused_and_left_alone(world: World, occupy):
    target = world.folder / "target"
    occupy(target)
    before = os.lstat(target)
    with pytest.raises(Refused, match="not an empty directory"):
        world.runtime.restore(ASSET, str(target))
    assert os.path.samestat(before, os.lstat(target))


def test_an_empty_target_is_taken(world: World):
    (world.folder / "target").mkdir()
    world.runtime.restore(ASSET, str(world.folder / "target"))
    assert tree(world.folder / "target") == tree(world.source)


def test_damage_in_one_region_is_mended_from_the_other_and_said(world: World):
    change(world.packs("one")[0], flip)
    done = world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert tree(world.folder / "restored") == tree(world.source)
    assert [note for note in done["repairs"] if "one" in note]


@pytest.mark.parametrize("damage", [flip, lambda data: data[: len(data) // 2], lambda _: b""])
def test_damage_everywhere_is_an_integrity_error(world: World, damage):
    for region in world.regions:
        change(world.packs(region)[0], damage)
    with pytest.raises(IntegrityError):
        world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert nothing_beside(world.folder / "restored")


def test_a_pack_that_is_gone_everywhere_is_an_integrity_error(world: World):
    for region in world.regions:
        world.packs(region)[0].unlink()
    with pytest.raises(IntegrityError, match="gone"):
        world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert nothing_beside(world.folder / "restored")


def test_a_pinned_region_is_the_only_one_that_is_asked(world: World):
    change(world.packs("one")[0], flip)
    with pytest.raises(IntegrityError):
        world.runtime.restore(ASSET, str(world.folder / "restored"), region="one")
    world.runtime.restore(ASSET, str(world.folder / "restored"), region="two")


def test_a_manifest_under_anothers_name_is_refused(world: World):
    (world.source / "file").write_bytes(b"second")
    world.runtime.backup(ASSET)
    older, newer = world.manifests("one")
    newer.chmod(0o600)
    newer.write_bytes(older.read_bytes())
    with pytest.raises(IntegrityError, match="under another name"):
        world.runtime.restore(ASSET, str(world.folder / "restored"), point=newer.stem, region="one")


def test_what_nothing_matches_is_not_found(world: World):
    with pytest.raises(NotFound, match=r"matches \*\.nope"):
        world.runtime.restore(ASSET, str(world.folder / "restored"), include=["*.nope"])
    with pytest.raises(NotFound, match="no point"):
        world.runtime.restore(ASSET, str(world.folder / "restored"), point="20200101T000000000000Z-00000000")
    assert not (world.folder / "restored").exists()


def test_a_point_that_only_a_silent_region_could_hold_is_not_called_absent(world: World, monkeypatch):
    def silent(self: LocalStore, key: str) -> bytes:
        raise StoreUnavailable("no answer", where=self.label)

    monkeypatch.setattr(LocalStore, "get", silent)
    with pytest.raises(StoreUnavailable, match="no region that answers"):
        world.runtime.restore(ASSET, str(world.folder / "restored"))


def test_a_disk_that_fills_up_leaves_nothing(world: World, monkeypatch):
    written = []

    def full(descriptor: int, data: bytes, offset: int) -> int:
        written.append(offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutOfSpace, match="filled up"):
        world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert written
    assert nothing_beside(world.folder / "restored")


def test_a_disk_without_room_is_refused_before_anything_is_fetched(world: World, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(OutOfSpace, match="1,048,576 bytes are to be restored and 1,000 are free"):
        world.runtime.restore(ASSET, str(world.folder / "restored"))


def test_two_restores_into_one_target_do_not_meet(world: World):
    with Staging(world.folder / "restored"), pytest.raises(Refused, match="another restore"):
        world.runtime.restore(ASSET, str(world.folder / "restored"))
    world.runtime.restore(ASSET, str(world.folder / "restored"))


def test_what_a_killed_restore_left_is_cleared_away(world: World):
    target = world.folder / "restored"
    program = DIE_IN_STAGING.format(target=str(target))
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert (world.folder / ".restored.restoring" / "half").exists()
    world.runtime.restore(ASSET, str(target))
    assert tree(target) == tree(world.source)
    assert sorted(p.name for p in world.folder.iterdir() if "restor" in p.name) == ["restored"]

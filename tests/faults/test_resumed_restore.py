"""A restore that died or was cut off goes on where it ended, fetches nothing twice, and believes nothing unchecked."""

import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound, Refused, StoreUnavailable
from dr_lib.policy import restore_plan
from dr_lib.storage.local import LocalStore
from dr_lib.workflows.restore import fetch, landing
from tests.faults.dying import DONE, dies_before
from tests.world import ASSET, World, make_world, tree

FILES = 4
SIZE = 3_000
LARGE = 3 << 20


@pytest.fixture
def world(tmp_path: Path, monkeypatch) -> World:
    """A point of small files and one of two frames, each frame in a range of its own."""
    world = make_world(tmp_path / "w", ("one",), limits={"shard": "64MiB", "workers": 1})
    (world.source / "folder").mkdir()
    for number in range(FILES):
        (world.source / "folder" / str(number)).write_bytes(os.urandom(SIZE))
    (world.source / "folder" / "0").chmod(0o400)
    (world.source / "large.npy").write_bytes(os.urandom(LARGE))
    (world.source / "empty").touch()
    (world.source / "link").symlink_to("large.npy")
    (world.source / "folder").chmod(0o500)
    world.runtime.backup(ASSET)
    monkeypatch.setattr(restore_plan, "MAX_RANGE", 1)
    return world


class Ranges(list[tuple[str, int]]):
    """The ranges of packs that were read; with `left`, only so many are given."""

    left = 1000


@pytest.fixture
def ranges(monkeypatch) -> Ranges:
    real, seen = LocalStore.get_range, Ranges()

    def get_range(self: LocalStore, key: str, start: int, length: int) -> bytes:
        if not key.startswith("packs/"):
            return real(self, key, start, length)
        if seen.left == 0:
            raise StoreUnavailable("the network is cut", where=self.label)
        seen.left -= 1
        seen.append((key, start))
        return real(self, key, start, length)

    monkeypatch.setattr(LocalStore, "get_range", get_range)
    monkeypatch.setattr(fetch, "MOST", 1)
    for module in (fetch, landing):
        monkeypatch.setattr(module, "cores", lambda: 1)
    return seen


def target(world: World) -> Path:
    return world.folder / "restored"


def restore(world: World, **options: object) -> dict:
    return world.runtime.restore(ASSET, str(target(world)), **options)


def total(world: World) -> int:
    """Ranges of the newest point."""
    manifest = world.vault("one").manifest(ASSET, world.runtime.points(ASSET)[0]["point"])
    return sum(len(file.frames) for file in manifest.files)


def journalled(world: World) -> int:
    """Ranges that the journal calls written."""
    path = world.folder / ".restored.restoring.journal"
    return max(path.read_bytes().count(b"\n") - 1, 0) if path.exists() else 0


def left_beside(world: World) -> list[str]:
    return sorted(path.name for path in world.folder.iterdir() if path.name.startswith(".restored"))


def cut_off(world: World, ranges: Ranges, after: int, **options: object) -> None:
    ranges.left = after
    with pytest.raises(StoreUnavailable, match="network is cut"):
        restore(world, **options)
    ranges.left = 1000
    ranges.clear()


def test_killed_before_any_step_it_goes_on_and_fetches_no_finished_range_again(world: World, ranges: Ranges):
    everything, kept = total(world), set()
    for step in count(1):
        if dies_before(step, lambda: restore(world)) == DONE:
            break
        if target(world).exists():
            assert tree(target(world)) == tree(world.source), step
        else:
            done = journalled(world)
            ranges.clear()
            document = restore(world)
            assert len(ranges) == len(set(ranges)) == everything - done, step
            assert tree(target(world)) == tree(world.source), step
            assert left_beside(world) == [], step
            kept.add((done, document["kept_bytes"]))
        shutil.rmtree(target(world))
        (world.folder / ".restored.restoring.journal").unlink(missing_ok=True)
    assert len({done for done, _ in kept}) == everything + 1, "it died between all of its ranges"
    assert all((done == 0) == (size == 0) for done, size in kept)


def test_cut_off_it_says_how_to_go_on_and_goes_on(world: World, ranges: Ranges):
    ranges.left = 4
    with pytest.raises(StoreUnavailable, match=r"goes on with what is in .*\.restored\.restoring"):
        restore(world)
    assert not target(world).exists()
    ranges.left = 1000
    before = set(ranges)
    ranges.clear()
    document = restore(world)
    assert not before & set(ranges)
    assert document["kept_bytes"] > 0
    assert tree(target(world)) == tree(world.source)
    assert left_beside(world) == []


def test_cut_off_before_anything_came_it_leaves_nothing(world: World, ranges: Ranges):
    cut_off(world, ranges, 0)
    assert left_beside(world) == []


@pytest.mark.parametrize("options", [{"include": ["folder/*"]}, {"point": "new"}])
def test_another_selection_or_point_starts_afresh(world: World, ranges: Ranges, options):
    cut_off(world, ranges, 4)
    if "point" in options:
        (world.source / "more").write_bytes(b"more")
        options = {"point": world.runtime.backup(ASSET)["point"]}
    document = restore(world, **options)
    assert document["kept_bytes"] == 0
    assert (target(world) / "folder" / "1").read_bytes() == (world.source / "folder" / "1").read_bytes()
    assert left_beside(world) == []


def test_a_journal_that_was_being_written_counts_without_its_last_line(world: World, ranges: Ranges):
    cut_off(world, ranges, 5)
    journal = world.folder / ".restored.restoring.journal"
    journal.write_bytes(journal.read_bytes()[:-1])
    restore(world)
    assert len(ranges) == total(world) - 4
    assert tree(target(world)) == tree(world.source)


@pytest.mark.parametrize("spoil", [lambda data: bytes(len(data)), lambda data: data[:1]])
def test_what_the_disk_lost_meanwhile_is_fetched_once_more(world: World, ranges: Ranges, spoil):
    cut_off(world, ranges, total(world) - 1)
    staged = world.folder / ".restored.restoring"
    for path in [staged / "large.npy", *(staged / "folder").iterdir()]:
        path.chmod(0o600)
        path.write_bytes(spoil(path.read_bytes()))
    restore(world)
    assert tree(target(world)) == tree(world.source)
    assert len(ranges) >= total(world)


def test_a_disk_that_keeps_lying_is_an_integrity_error_and_leaves_nothing(world: World, ranges: Ranges, monkeypatch):
    cut_off(world, ranges, 3)
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: real(file, bytes(len(data)), at))
    with pytest.raises(IntegrityError, match="not the one that was backed up"):
        restore(world)
    assert left_beside(world) == []


@pytest.mark.parametrize("plant", ["file", "folder/link", "large.npy"])
def test_what_somebody_else_put_there_is_never_published(world: World, ranges: Ranges, plant):
    cut_off(world, ranges, 4)
    path = world.folder / ".restored.restoring" / plant
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)
    path.symlink_to(world.config())
    before = world.config().read_bytes()
    document = restore(world)
    assert document["kept_bytes"] == 0
    assert tree(target(world)) == tree(world.source)
    assert world.config().read_bytes() == before


def test_damage_and_refusals_leave_nothing_though_much_was_written(world: World, ranges: Ranges, monkeypatch):
    cut_off(world, ranges, 4)
    assert left_beside(world) != []
    for pack in world.packs("one"):
        pack.rename(pack.with_suffix(".away"))
    with pytest.raises(IntegrityError, match="gone"):
        restore(world)
    assert left_beside(world) == []


def test_a_question_that_was_wrong_leaves_what_is_kept(world: World, ranges: Ranges):
    cut_off(world, ranges, 4)
    with pytest.raises(NotFound):
        restore(world, include=["*.nope"])
    (target(world)).mkdir()
    (target(world) / "in the way").touch()
    with pytest.raises(Refused):
        restore(world)
    shutil.rmtree(target(world))
    restore(world)
    assert len(ranges) == total(world) - 4

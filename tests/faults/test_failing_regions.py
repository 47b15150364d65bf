"""One region that fails keeps no other from its turn, and what it may hold is never called absent or fine."""

import os
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound, PermissionDenied, StoreUnavailable
from dr_lib.storage.local import LocalStore
from tests.world import ASSET, World, change, flip, make_world, tree


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", ("one", "two", "three"), limits={"shard": "1MiB", "workers": 1})
    (world.source / "file").write_bytes(os.urandom(300_000))
    return world


def failing(monkeypatch, method: str, region: str, prefix: str, error: type[Exception]) -> list[str]:
    """From now on a store's method fails for keys of that prefix; gives the keys for which it did."""
    real, failed = getattr(LocalStore, method), []

    def fails(self: LocalStore, key: str, *rest: object) -> object:
        if self.root.name.endswith(region) and key.startswith(prefix):
            failed.append(key)
            raise error("it fails", where=self.label)
        return real(self, key, *rest)

    monkeypatch.setattr(LocalStore, method, fails)
    return failed


def test_a_backup_reaches_the_regions_behind_one_that_fails(world: World, monkeypatch):
    failed = failing(monkeypatch, "create", "two", "packs/", PermissionDenied)
    with pytest.raises(PermissionDenied, match="its copy to two failed"):
        world.runtime.backup(ASSET)
    assert failed
    assert [len(world.manifests(region)) for region in world.regions] == [1, 0, 1]


def test_a_replication_tries_every_region_and_point(world: World, monkeypatch):
    world.runtime.backup(ASSET, ["one"])
    (world.source / "file").write_bytes(os.urandom(300_000))
    world.runtime.backup(ASSET, ["one"])
    change(world.packs("one")[0], flip)
    with pytest.raises(IntegrityError):
        world.runtime.replicate(ASSET)
    assert [len(world.manifests(region)) for region in world.regions] == [2, 1, 1]


def test_a_verification_goes_on_behind_a_region_that_stops_answering(world: World, monkeypatch):
    world.runtime.backup(ASSET)
    failed = failing(monkeypatch, "get_range", "one", "packs/", PermissionDenied)
    with pytest.raises(PermissionDenied):
        world.runtime.verify(ASSET)
    assert failed
    copies = world.runtime.points(ASSET)[0]["copies"]
    assert copies == {"one": "complete", "two": "verified", "three": "verified"}


@pytest.mark.parametrize("error", [PermissionDenied, NotFound, IntegrityError])
def test_a_restore_takes_from_another_region_what_one_does_not_give(world: World, monkeypatch, error):
    world.runtime.backup(ASSET)
    failed = failing(monkeypatch, "get_range", "one", "packs/", error)
    done = world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert failed
    assert done["repairs"]
    assert tree(world.folder / "restored") == tree(world.source)


def test_a_pack_that_a_silent_region_may_hold_is_not_called_gone(world: World, monkeypatch):
    world.runtime.backup(ASSET)
    failing(monkeypatch, "get_range", "one", "packs/", StoreUnavailable)
    failing(monkeypatch, "get_range", "two", "packs/", NotFound)
    failing(monkeypatch, "get_range", "three", "packs/", IntegrityError)
    with pytest.raises(StoreUnavailable):
        world.runtime.restore(ASSET, str(world.folder / "restored"))


def test_a_summary_that_cannot_be_read_leaves_the_copy_unknown(world: World, monkeypatch):
    world.runtime.backup(ASSET, ["one"])
    failed = failing(monkeypatch, "get_range", "one", "points/", StoreUnavailable)
    assert world.runtime.points(ASSET)[0]["copies"]["one"] == "unknown"
    with pytest.raises(StoreUnavailable):
        world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert failed


def test_a_denied_region_is_said_to_be_denied_and_not_to_be_silent(world: World, monkeypatch):
    for region in world.regions:
        failing(monkeypatch, "get", region, "vault.json", PermissionDenied)
    with pytest.raises(PermissionDenied, match="it fails"):
        world.runtime.restore(ASSET, str(world.folder / "restored"))


def test_a_damaged_event_takes_the_verified_back_and_leaves_the_copy_restorable(world: World):
    world.runtime.backup(ASSET, ["one"])
    world.runtime.verify(ASSET, region="one")
    [event] = (path for path in (world.regions["one"] / "events").rglob("*-verification-*.json"))
    change(event, flip)
    assert world.runtime.points(ASSET)[0]["copies"]["one"] == "complete"
    world.runtime.restore(ASSET, str(world.folder / "restored"))


def test_a_manifest_that_was_deleted_after_its_verification_is_missed(world: World):
    world.runtime.backup(ASSET, ["one"])
    world.runtime.verify(ASSET, region="one")
    world.manifests("one")[0].unlink()
    [result] = world.runtime.verify(ASSET, region="one")["results"]
    assert "has no point" in result["findings"][0]


def test_unreadable_evidence_is_a_problem_of_the_status_and_no_failure_of_it(world: World):
    world.runtime.backup(ASSET)
    path = world.regions["one"] / "evidence" / ASSET / "20260101T000000000000Z-00000000.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}")
    found = world.runtime.status()["assets"][0]
    assert any("evidence of drills cannot be read" in problem for problem in found["problems"])


def test_a_failed_restore_leaves_no_proof_that_would_refuse_the_next_one(world: World, monkeypatch):
    world.runtime.backup(ASSET, ["one"])
    targets = {"target": str(world.folder / "restored"), "attachments": str(world.folder / "proof")}
    with monkeypatch.context() as patch:
        failing(patch, "get_range", "one", "packs/", NotFound)
        with pytest.raises(IntegrityError):
            world.runtime.restore(ASSET, **targets)
    world.runtime.restore(ASSET, **targets)
    assert tree(world.folder / "restored") == tree(world.source)


def test_a_failed_shard_keeps_the_later_ones_from_being_stored(world: World, monkeypatch):
    for number in range(9):
        (world.source / f"file {number}").write_bytes(os.urandom(1_000_000))
    failed = failing(monkeypatch, "create", "one", "packs/", PermissionDenied)
    with pytest.raises(PermissionDenied):
        world.runtime.backup(ASSET, ["one"])
    assert len(failed) < 4


def test_a_link_in_the_place_of_the_staging_directory_is_not_followed(world: World):
    world.runtime.backup(ASSET, ["one"])
    precious = world.folder / "precious"
    precious.mkdir(mode=0o755)
    (precious / "file").touch()
    (world.folder / ".restored.restoring").symlink_to(precious)
    world.runtime.restore(ASSET, str(world.folder / "restored"))
    assert tree(world.folder / "restored") == tree(world.source)
    assert ((precious / "file").exists(), precious.stat().st_mode & 0o777) == (True, 0o755)

"""Verification finds every kind of damage, says nothing of an untouched vault, and its word decides a copy's state."""

import os
import shutil
from pathlib import Path

import pytest

from dr_lib.clock import utc_now
from dr_lib.errors import NotFound, UsageError
from dr_lib.progress import SILENT
from dr_lib.workflows.verify.verify import Asked, Mode, verify
from tests.golden import writing as golden
from tests.golden.forging import FORGERIES, NAME, vault_at
from tests.golden.test_golden_sealed import SEALED
from tests.world import ASSET, World, change, flip, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w")
    (world.source / "file").write_bytes(os.urandom(300_000))
    (world.source / "text").write_bytes(b"compressible " * 10_000)
    world.runtime.backup(ASSET)
    return world


def states(world: World) -> dict[str, str]:
    return world.runtime.points(ASSET)[0]["copies"]


def results(world: World, mode: str) -> dict[str, bool]:
    return {r["region"]: r["ok"] for r in world.runtime.verify(ASSET, mode=mode)["results"]}


def test_an_untouched_vault_gives_no_alarm(world: World):
    assert results(world, "structure") == {"one": True, "two": True}
    assert states(world) == {"one": "complete", "two": "complete"}
    assert results(world, "full") == {"one": True, "two": True}
    assert states(world) == {"one": "verified", "two": "verified"}


@pytest.mark.parametrize("at", [0, 7, 100, 150_000, -1, -9, -20, -60])
def test_a_flipped_bit_anywhere_in_a_pack_is_found(world: World, at):
    change(world.packs("one")[0], lambda data: flip(data, at))
    assert results(world, "full") == {"one": False, "two": True}
    assert states(world) == {"one": "damaged", "two": "verified"}


@pytest.mark.parametrize("at", [0, 9, 13, 200, -1, -100])
def test_a_flipped_bit_anywhere_in_a_manifest_is_found(world: World, at):
    change(world.manifests("one")[0], lambda data: flip(data, at))
    assert results(world, "structure")["one"] is False


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda _: b"", lambda data: data + b"x"])
@pytest.mark.parametrize("kind", ["packs", "manifests"])
def test_truncated_emptied_and_grown_objects_are_found_by_structure(world: World, kind, damage):
    change(getattr(world, kind)("one")[0], damage)
    assert results(world, "structure") == {"one": False, "two": True}


def test_a_missing_pack_is_found_by_structure(world: World):
    world.packs("two")[0].unlink()
    found = world.runtime.verify(ASSET, mode="structure")["results"]
    damaged = [(r["region"], r["findings"][0].split()[-1]) for r in found if not r["ok"]]
    assert damaged == [("two", "gone")]


def test_two_packs_that_were_swapped_are_found(world: World):
    (world.source / "file").write_bytes(os.urandom(300_000))
    world.runtime.backup(ASSET)
    first, second, *_ = world.packs("one")
    a, b = first.read_bytes(), second.read_bytes()
    change(first, lambda _: b)
    change(second, lambda _: a)
    found = world.runtime.verify(ASSET, region="one")["results"]
    assert [r["ok"] for r in found] == [False, False]


def test_damage_stands_until_a_full_verification_finds_the_copy_whole(world: World):
    pack = world.packs("one")[0]
    whole = pack.read_bytes()
    change(pack, lambda data: data[:-1])
    world.runtime.verify(ASSET, region="one", mode="structure")
    change(pack, lambda _: whole)
    world.runtime.verify(ASSET, region="one", mode="structure")
    assert states(world)["one"] == "damaged"
    world.runtime.verify(ASSET, region="one", mode="full")
    assert states(world)["one"] == "verified"


def test_only_what_is_not_verified_is_read_again_when_asked_so(world: World):
    world.runtime.verify(ASSET)
    assert world.runtime.verify(ASSET, unverified=True)["results"] == []
    (world.source / "file").write_bytes(b"second")
    second = world.runtime.backup(ASSET)["point"]
    change(world.packs("one")[0], flip)
    world.runtime.verify(ASSET, region="one")
    again = world.runtime.verify(ASSET, unverified=True)["results"]
    assert [(r["region"], r["ok"]) for r in again] == [("one", False), ("one", False), ("two", True)]
    assert again[-1]["point"] == second


def test_a_point_or_mode_that_does_not_exist_is_said(world: World):
    with pytest.raises(NotFound, match="no region holds"):
        world.runtime.verify(ASSET, point="20200101T000000000000Z-00000000")
    with pytest.raises(UsageError, match="structure, sample, full"):
        world.runtime.verify(ASSET, mode="glance")


def test_points_that_disagree_about_a_shared_pack_are_judged_apart(tmp_path):
    shutil.copytree(SEALED, tmp_path / "vault")
    change(tmp_path / "vault" / NAME, lambda _: FORGERIES["has another salt"]())
    results = verify(vault_at(tmp_path / "vault"), golden.ASSET, Asked(Mode.FULL), SILENT, utc_now).results
    assert [result.ok for result in results] == [True, False]

"""Holds over regions: in all that have the point, seen by all who ask, and taken back everywhere."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.errors import NotFound, UsageError
from dr_lib.runtime import Runtime
from dr_lib.vault.holds import holds
from tests.keys import keys
from tests.pruning import Time, runtime_at
from tests.world import ASSET, World, change, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w")
    (world.source / "file").write_bytes(b"content")
    return world


def back_up(world: World, *regions: str) -> str:
    return str(world.runtime.backup(ASSET, list(regions) or None)["point"])


def names(world: World, region: str) -> list[str | None]:
    return [hold.name for hold in holds(world.vault(region), ASSET)]


def test_a_point_is_held_in_every_region_that_has_it_and_shown_as_held(world: World):
    everywhere, here = back_up(world), back_up(world, "one")
    assert world.runtime.add_hold(ASSET, everywhere, "audit", "asked for")["regions"] == ["one", "two"]
    assert world.runtime.add_hold(ASSET, here, "audit", "asked for")["regions"] == ["one"]
    assert {p["point"]: p["held"] for p in world.runtime.points(ASSET)} == {everywhere: ["audit"], here: ["audit"]}
    listed = world.runtime.list_holds()["holds"]
    assert [(h["point"], h["name"], h["reason"], h["regions"]) for h in listed] == [
        (everywhere, "audit", "asked for", ["one", "two"]),
        (here, "audit", "asked for", ["one"]),
    ]


def test_the_same_hold_twice_is_one_and_each_name_is_taken_back_alone(world: World):
    point = back_up(world)
    for name in ("audit", "audit", "training"):
        world.runtime.add_hold(ASSET, point, name, "asked for")
    assert names(world, "one") == ["audit", "training"]
    world.runtime.remove_hold(ASSET, point, "audit", "done")
    assert names(world, "one") == names(world, "two") == ["training"]


def test_what_is_not_there_is_not_found(world: World):
    point = back_up(world)
    with pytest.raises(NotFound, match="no region has a point"):
        world.runtime.add_hold(ASSET, "20200101T000000000000Z-00000000", "audit", "asked for")
    with pytest.raises(NotFound, match="nothing called 'audit'"):
        world.runtime.remove_hold(ASSET, point, "audit", "done")
    with pytest.raises(NotFound, match="no asset named"):
        world.runtime.list_holds("nothing")


def test_a_hold_without_a_reason_is_refused(world: World):
    with pytest.raises(UsageError, match="the reason is empty"):
        world.runtime.add_hold(ASSET, back_up(world), "audit", "  ")


def test_a_region_that_does_not_answer_is_said_after_the_others_hold(world: World):
    point = back_up(world)
    world.regions["two"].rename(world.folder / "gone")
    with pytest.raises(NotFound, match="done in one, but not everywhere"):
        world.runtime.add_hold(ASSET, point, "audit", "asked for")
    assert names(world, "one") == ["audit"]
    assert world.runtime.list_holds()["silent"]


def test_a_hold_made_by_a_clock_that_runs_ahead_can_be_taken_back(world: World):
    point = back_up(world)
    ahead = runtime_at(world, Time(timedelta(hours=9)))
    ahead.add_hold(ASSET, point, "audit", "asked for")
    world.runtime.remove_hold(ASSET, point, "audit", "done")
    assert names(world, "one") == []


def test_a_hold_that_can_no_longer_be_read_holds(world: World):
    point = back_up(world)
    world.runtime.add_hold(ASSET, point, "audit", "asked for")
    [event] = (world.regions["one"] / "events" / ASSET).glob("*-hold-*")
    change(event, lambda _: os.urandom(40))
    assert names(world, "one") == [None]
    assert world.runtime.points(ASSET)[0]["held"] == ["a hold that can no longer be read", "audit"]


def test_in_a_signed_vault_a_hold_is_signed(tmp_path: Path):
    world = make_world(tmp_path / "w", environ=keys().all(), **keys().config())
    (world.source / "file").write_bytes(b"content")
    point = back_up(world)
    world.runtime.add_hold(ASSET, point, "audit", "asked for")
    assert names(world, "two") == ["audit"]
    with pytest.raises(UsageError, match="no signing key"):
        Runtime.load(world.config(), environ={}).add_hold(ASSET, point, "other", "asked for")

"""Pruning where objects are locked and have versions: in a store that says so, and on a real server with roles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.format import layout
from dr_lib.runtime import Runtime
from dr_lib.storage.memory import MemoryStore
from dr_lib.testing.worm_store import WormStore
from dr_lib.wiring import Wiring
from tests import roles
from tests.conftest import fresh_name
from tests.pruning import LATER, Time, pruned_world, verified
from tests.world import ASSET, World

DAYS = 30


@pytest.fixture
def worm(monkeypatch: pytest.MonkeyPatch, time: Time) -> WormStore:
    store = WormStore(MemoryStore("region one", clock=time), time, days=DAYS)
    monkeypatch.setattr(Wiring, "store", lambda *_, **__: store)
    monkeypatch.setattr(Wiring, "janitor", lambda *_, **__: store)
    return store


@pytest.fixture
def world(tmp_path: Path, time: Time, worm: WormStore) -> World:
    """A point that may go, and one that stays."""
    world = pruned_world(tmp_path / "w", time)
    for content in (b"first", b"second"):
        (world.source / "file").write_bytes(content)
        verified(world)
    return world


def points(store: WormStore) -> list[str]:
    return [name.point for info in store.list(layout.POINTS) if (name := layout.parse_manifest_key(info.key))]


def pruned(world: World) -> dict[str, Any]:
    found = world.runtime.prune(apply=True)
    assert found["problems"] == []
    return found["regions"][0]


def test_what_is_locked_is_said_and_goes_a_grace_period_before_its_lock_ends_into_a_plan(
    world: World, worm, time: Time
):
    old, new = points(worm)
    time.passes(LATER)
    first = pruned(world)
    assert first["plan"] is None
    assert [one["key"] for one in first["proposed"]["locked"]] == [layout.manifest_key(ASSET, old)]
    time.passes(timedelta(days=DAYS) - 2 * LATER + timedelta(hours=2))
    assert pruned(world)["plan"]
    time.passes(LATER)
    [done] = pruned(world)["executed"]
    assert (done["points"], done["locked"]) == ([old], [])
    assert points(worm) == [new]


def test_what_was_locked_after_it_was_planned_stays_until_the_lock_ends(world: World, worm, time: Time):
    old, _ = points(worm)
    time.passes(timedelta(days=DAYS))
    pruned(world)
    worm.lock(layout.manifest_key(ASSET, old), time() + timedelta(days=90))
    time.passes(LATER)
    [done] = pruned(world)["executed"]
    assert (done["points"], [one["key"] for one in done["locked"]]) == ([], [layout.manifest_key(ASSET, old)])
    assert old in points(worm)
    assert all(not result["findings"] for result in world.runtime.verify(ASSET)["results"])


def test_a_plan_whose_own_objects_are_locked_is_done_with_all_the_same(world: World, worm, time: Time):
    time.passes(timedelta(days=DAYS))
    pruned(world)
    time.passes(LATER)
    assert pruned(world)["executed"]
    assert [info.key for info in worm.list(layout.PRUNES)]
    assert pruned(world)["executed"] == []
    time.passes(timedelta(days=DAYS))
    pruned(world)
    assert not [info.key for info in worm.list(layout.PRUNES)]


def test_every_version_of_what_goes_goes(world: World, worm, time: Time):
    old, _ = points(worm)
    ref = world.runtime._wiring.vault("one").summary(ASSET, old).packs[0]
    key = layout.pack_key(ref.sha256)
    worm.replace(key, worm.get(key), worm.head(key).tag)  # as healing does
    assert len(list(worm.versions(key))) == 2
    time.passes(timedelta(days=DAYS) + LATER)
    pruned(world)
    time.passes(LATER)
    pruned(world)
    assert not list(worm.versions(key))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[roles.LockedWorld]:
    world = roles.start_world(tmp_path_factory.mktemp("janitor"), "dr-*")
    yield world
    world.server.stop()


def real_world(
    server: roles.LockedWorld, folder: Path, time: Time, mode: str | None
) -> tuple[roles.LockedWorld, Runtime]:
    """A bucket of that server with a point that may go and one that stays, and a runtime that is ahead of its clock."""
    (folder / "source").mkdir()
    world = roles.LockedWorld(folder, server.server, fresh_name(), mode)
    world.make_bucket()
    world.runtime()
    path = folder / "dr.yaml"
    config = json.loads(path.read_text())
    nothing = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "keep_within": None}
    config["assets"][ASSET] |= {"kind": "dataset", "gates": "none", "retention": nothing | {"last": 1}}
    path.write_text(json.dumps(config))
    runtime = Runtime.load(path, environ=world.environ(), clock=time)
    runtime.initialize()
    for content in (b"first", b"second"):
        (world.source / "file").write_bytes(content)
        point = runtime.backup(ASSET)["point"]
        assert runtime.verify(ASSET, point)["ok"]
    return world, runtime


def test_on_a_real_server_the_janitor_alone_deletes(server: roles.LockedWorld, tmp_path: Path, time: Time):
    _, runtime = real_world(server, tmp_path, time, None)
    new, old = (point["point"] for point in runtime.points(ASSET))
    time.passes(LATER)
    assert runtime.prune(apply=True)["regions"][0]["plan"]
    time.passes(LATER)
    without = {k: v for k, v in runtime._wiring.environ.items() if not k.startswith("DR_JANITOR")}
    with pytest.raises(Exception, match="JANITOR") as raised:
        Runtime(replace(runtime._wiring, environ=without)).prune(apply=True)
    assert raised.value.exit_code in (2, 7)
    assert runtime.prune(apply=True)["regions"][0]["executed"][0]["points"] == [old]
    assert [point["point"] for point in runtime.points(ASSET)] == [new]
    assert runtime.verify(ASSET)["ok"]


def test_a_manifest_that_somebody_hid_behind_a_marker_still_counts(
    server: roles.LockedWorld, tmp_path: Path, time: Time
):
    world, runtime = real_world(server, tmp_path, time, "compliance")
    _, old = (point["point"] for point in runtime.points(ASSET))
    world.admin.delete_object(Bucket=world.bucket, Key=layout.manifest_key(ASSET, old))
    assert len(runtime.points(ASSET)) == 1
    time.passes(LATER)
    [region] = runtime.prune()["regions"]
    assert region["warnings"] == [f"somebody hid {ASSET}/{old} behind a deletion marker"]
    assert region["proposed"]["objects"] == 0

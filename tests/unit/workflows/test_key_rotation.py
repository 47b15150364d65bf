"""Rotation: others open everything that is there, what is stored stays as it is, and no failure hides the rest."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dr_lib.crypto import age
from dr_lib.errors import IntegrityError, NotFound, PermissionDenied, Refused, StoreUnavailable, UsageError
from dr_lib.format.layout import parse_run_key_key, run_key_key
from dr_lib.runtime import Runtime
from dr_lib.storage.counting import CountingStore
from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.run_keys import create_run_key, newest_generations, open_run_key
from dr_lib.workflows.keys.inventory import take
from dr_lib.workflows.keys.rotate import LAST_GENERATION, rotate
from tests.keys import keys
from tests.world import ASSET, World, change, flip, make_world, tree

OPS, ESCROW, NEW = keys().operations, keys().escrow, age.new_identity()[0]
BEFORE = [age.recipient_of(OPS), age.recipient_of(ESCROW)]
AFTER = [age.recipient_of(OPS), age.recipient_of(NEW)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One point in two regions, sealed to OPS and ESCROW."""
    made = make_world(tmp_path / "w", environ=keys().all(), **keys().config())
    (made.source / "file").write_bytes(os.urandom(200_000))
    made.runtime.backup(ASSET)
    return made


def opened_as(world: World, identity: str | None, recipients: list[str]) -> Runtime:
    """The runtime of somebody with this identity, after dr.yaml was changed."""
    config = json.loads(world.config().read_text())
    config["encryption"]["recipients"] = recipients
    world.config().write_text(json.dumps(config))
    secrets = keys().backup_host() | ({"DR_IDENTITY": identity} if identity else {})
    return Runtime.load(world.config(), environ=secrets)


def restored(runtime: Runtime, world: World, region: str = "two") -> bool:
    target = world.folder / f"restored-{os.urandom(4).hex()}"
    runtime.restore(ASSET, str(target), region=region)
    return tree(target) == tree(world.source)


def content(world: World, region: str) -> dict[str, str]:
    """Everything of a vault but its keys."""
    root = world.regions[region]
    paths = [path for path in root.rglob("*") if path.is_file() and path.relative_to(root).parts[0] != "keys"]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def key_files(world: World, region: str) -> list[Path]:
    return sorted((world.regions[region] / "keys").rglob("*.age"))


def store_of(count: int, recipients: list[str] = BEFORE) -> MemoryStore:
    store = MemoryStore("region one")
    for _ in range(count):
        create_run_key(store, recipients)
    return store


def test_afterwards_the_new_recipients_open_everything_and_the_revoked_one_nothing(world):
    before = {region: content(world, region) for region in world.regions}
    done = opened_as(world, OPS, AFTER).rotate_keys()
    assert [(one["region"], one["rotated"] > 0, one["current"]) for one in done["regions"]] == [
        ("one", True, 0),
        ("two", True, 0),
    ]
    assert {region: content(world, region) for region in world.regions} == before
    for region in world.regions:
        assert restored(opened_as(world, NEW, AFTER), world, region)
        assert restored(opened_as(world, OPS, AFTER), world, region)
        with pytest.raises(PermissionDenied):
            restored(opened_as(world, ESCROW, AFTER), world, region)


def test_it_says_that_what_was_copied_away_cannot_be_recalled(world):
    done = opened_as(world, OPS, AFTER).rotate_keys()
    assert all(one["left_behind"] == one["rotated"] for one in done["regions"])
    assert "stays readable" in done["warnings"][0]
    old = key_files(world, "one")[0]
    assert len(age.unwrap(old.read_bytes(), [ESCROW])) == 32


def test_where_nothing_is_due_nothing_is_opened_and_nothing_is_said(world):
    done = opened_as(world, OPS, BEFORE[::-1]).rotate_keys()
    assert [(one["rotated"], one["left_behind"]) for one in done["regions"]] == [(0, 0), (0, 0)]
    assert done["warnings"] == []


def test_each_run_key_is_read_once_and_written_once_and_the_second_time_only_listed():
    store = CountingStore(store_of(20))
    done = rotate(store, AFTER, [OPS], 4)
    assert (done.run_keys, done.rotated, done.current, done.left_behind, done.failed) == (20, 20, 0, 20, ())
    assert store.calls == {"list": 1, "get": 20, "create": 20}
    again = rotate(store, AFTER, [OPS], 4)
    assert (again.rotated, again.current, again.left_behind) == (0, 20, 20)
    assert store.calls == {"list": 2, "get": 20, "create": 20}


def test_the_secret_stays_the_same_through_generations():
    store = store_of(1)
    (first,) = newest_generations(store).values()
    secret = open_run_key(store, first, [ESCROW])
    for generation, (identity, recipients) in enumerate([(ESCROW, AFTER), (NEW, BEFORE), (OPS, AFTER)], 1):
        rotate(store, recipients, [identity], 1)
        (newest,) = newest_generations(store).values()
        assert newest.generation == generation
        assert open_run_key(store, newest, [OPS]) == secret


def test_one_region_alone_is_rotated_when_asked(world):
    runtime = opened_as(world, OPS, AFTER)
    assert [one["region"] for one in runtime.rotate_keys("two")["regions"]] == ["two"]
    assert restored(opened_as(world, NEW, AFTER), world, "two")
    with pytest.raises(PermissionDenied):
        restored(opened_as(world, NEW, AFTER), world, "one")


def test_two_at_the_same_time_do_no_harm():
    store = store_of(30)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: rotate(store, AFTER, [OPS], 3), range(2)))
    assert [one.failed for one in done] == [(), ()]
    for name in take(store).newest:
        assert name.generation in (1, 2)
        assert open_run_key(store, name, [NEW])
    assert rotate(store, AFTER, [OPS], 3).rotated == 0


def test_without_an_identity_nothing_is_done_and_it_says_what_to_set(world):
    with pytest.raises(UsageError) as caught:
        opened_as(world, None, AFTER).rotate_keys()
    assert "DR_IDENTITY" in caught.value.hint
    assert all(parse_run_key_key(f"keys/{p.parent.name}/{p.name}").generation == 0 for p in key_files(world, "one"))


def test_where_nothing_is_sealed_there_is_nothing_to_rotate(tmp_path):
    with pytest.raises(UsageError, match="nothing is sealed"):
        make_world(tmp_path / "clear").runtime.rotate_keys()


def test_an_identity_that_opens_nothing_is_exit_7_and_changes_nothing(world):
    before = key_files(world, "one")
    with pytest.raises(PermissionDenied, match="run keys in one were not rotated") as caught:
        opened_as(world, NEW, AFTER).rotate_keys()
    assert caught.value.exit_code == 7
    assert key_files(world, "one") == before


def test_a_damaged_run_key_is_told_and_the_others_are_rotated(world):
    damaged = key_files(world, "one")[0]
    change(damaged, flip)
    with pytest.raises(IntegrityError, match="1 of "):
        opened_as(world, OPS, AFTER).rotate_keys()
    assert restored(opened_as(world, NEW, AFTER), world, "two")


def test_a_run_key_that_others_replaced_is_never_wrapped_again():
    store, foreign = store_of(2), store_of(1)
    (other,) = take(foreign).newest
    wrapped = foreign.get(other.key)
    victim = take(store).newest[0]
    store.create(run_key_key(victim.id, 1, victim.recipients, wrapped), wrapped)
    done = rotate(store, AFTER, [OPS], 2)
    assert (done.rotated, [type(error) for error in done.failed]) == (1, [IntegrityError])
    assert max(name.generation for name in take(store).names if name.id == victim.id) == 1


def test_a_region_that_is_out_of_reach_is_told_when_the_others_are_done(world):
    world.regions["one"].rename(world.folder / "gone")
    runtime = opened_as(world, OPS, AFTER)
    with pytest.raises(NotFound, match="region one"):
        runtime.rotate_keys()
    assert restored(opened_as(world, NEW, AFTER), world, "two")


def test_a_store_that_fails_ends_the_run_and_the_next_one_does_the_rest():
    class Failing(CountingStore):
        def create(self, key, data):
            if self.calls["create"] >= 5:
                raise StoreUnavailable("gone", where=self.label)
            super().create(key, data)

    inner = store_of(12)
    with pytest.raises(StoreUnavailable):
        rotate(Failing(inner), AFTER, [OPS], 1)
    done = rotate(inner, AFTER, [OPS], 1)
    assert (done.rotated, done.current) == (7, 5)


def test_a_run_key_without_a_generation_left_is_refused():
    store = store_of(1)
    (name,) = take(store).newest
    wrapped = store.get(name.key)
    store.create(run_key_key(name.id, LAST_GENERATION, name.recipients, wrapped), wrapped)
    done = rotate(store, AFTER, [OPS], 1)
    assert [type(error) for error in done.failed] == [Refused]


def test_what_is_no_run_key_is_left_alone():
    store = store_of(1)
    store.create("keys/README", b"x")
    store.create(f"keys/{'0' * 32}/1-0-0.age", b"x")
    assert rotate(store, AFTER, [OPS], 1).run_keys == 1

"""Object lock from `init` to `points`, on a real server whose roles have credentials of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dr_lib.clock import utc_now
from dr_lib.errors import PermissionDenied, Refused, StoreUnavailable, UsageError
from dr_lib.model.region import Role
from dr_lib.storage.s3 import S3Store
from tests.conftest import fresh_name
from tests.roles import ASSET, REGION, LockedWorld, start_world
from tests.world import weights


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockedWorld]:
    """A server with roles, for all buckets of the name `anything`: tests of this module share it, one bucket each."""
    world = start_world(tmp_path_factory.mktemp("locks"), "dr-*")
    yield world
    world.server.stop()


@pytest.fixture
def world(server: LockedWorld, tmp_path: Path) -> LockedWorld:
    (tmp_path / "source").mkdir()
    world = LockedWorld(tmp_path, server.server, fresh_name(), "compliance")
    world.make_bucket()
    weights(world.source / "model.safetensors")
    return world


def locks(world: LockedWorld, prefix: str) -> dict[str, datetime]:
    """When the lock of each object's newest version ends."""
    store = world.runtime()._wiring.store(REGION)
    found = {info.key: store.locked_until(info.key) for info in store.list(prefix)}
    return {key: until for key, until in found.items() if until is not None}


def let_the_clock_tick(world: LockedWorld) -> None:
    """Wait until the server, whose times are whole seconds, calls something newer than all that is stored."""

    def stored_at() -> datetime:
        world.admin.put_object(Bucket=world.bucket, Key="probes/clock", Body=b"")
        found: datetime = world.admin.head_object(Bucket=world.bucket, Key="probes/clock")["LastModified"]
        return found

    began = stored_at()
    while stored_at() == began:
        pass


def test_init_tries_to_break_the_lock_as_the_janitor_and_says_so(world: LockedWorld) -> None:
    (made,) = world.runtime().initialize()["regions"]
    assert made["lock"] == {
        "mode": "compliance",
        "days": 1,
        "refused": ["deletion", "shortening"],
        "tried_as": "janitor",
    }
    assert made["warnings"] == []
    assert set(locks(world, "")) == {info.key for info in world.runtime()._wiring.store(REGION).list()}


def test_a_lock_that_only_the_writer_could_try_is_said_to_be_unproven(world: LockedWorld) -> None:
    everyone = {role.value: f"env:DR_{role.name}" for role in Role}
    (made,) = world.runtime(Role.WRITER, credentials=everyone).initialize()["regions"]
    assert made["lock"]["tried_as"] == "writer"
    assert "whether it holds against others is unproven" in made["warnings"][0]


def test_a_lock_longer_than_was_asked_for_is_said_with_what_follows(world: LockedWorld) -> None:
    world.set_default(400)
    (made,) = world.runtime().initialize()["regions"]
    assert made["lock"]["days"] == 400
    assert "nothing can be pruned, nor space be freed, before 400 days" in made["warnings"][0]


def test_a_lock_that_nobody_asked_for_is_said_too(world: LockedWorld) -> None:
    (made,) = world.runtime(lock=None).initialize()["regions"]
    assert made["lock"] is None
    assert "dr.yaml asks for no lock, and the bucket locks by its own default" in made["warnings"][0]


def test_a_writer_that_may_not_make_the_bucket_is_told_who_does(world: LockedWorld) -> None:
    world.bucket = fresh_name()
    with pytest.raises(PermissionDenied, match="have its owner make it"):
        world.runtime().initialize()


def test_the_probe_of_an_init_that_died_is_not_in_the_way_of_the_next(world: LockedWorld) -> None:
    world.admin.put_object(Bucket=world.bucket, Key="probes/lock-0123", Body=b"left behind")
    assert world.runtime().initialize()["regions"][0]["lock"]["refused"] == ["deletion", "shortening"]


def test_a_bucket_that_stopped_locking_gets_no_point(world: LockedWorld) -> None:
    runtime = world.runtime()
    runtime.initialize()
    world.set_default(None)
    with pytest.raises(Refused, match="demands a lock of 1 d, and what was just stored is not locked at all"):
        runtime.backup(ASSET)
    assert runtime.points(ASSET)[0]["copies"] == {REGION: "pending"}


def test_reused_packs_are_locked_as_long_as_the_new_point(world: LockedWorld) -> None:
    runtime = world.runtime()
    runtime.initialize()
    runtime.backup(ASSET)
    before = locks(world, "packs/")
    world.set_default(3)
    let_the_clock_tick(world)
    (world.source / "more").write_bytes(os.urandom(100_000))
    newest = runtime.backup(ASSET)["point"]
    manifest = locks(world, f"points/{ASSET}/{newest}")
    (until,) = manifest.values()
    after = locks(world, "packs/")
    assert before
    assert all(after[key] >= until > before[key] + timedelta(days=1) for key in before)
    assert all(until - lock < timedelta(minutes=1) for lock in after.values())


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_is_hours_off_shortens_no_lock(world: LockedWorld, hours: int) -> None:
    world.runtime().initialize()
    os.utime(world.source / "model.safetensors", (0, 0))
    runtime = world.runtime(clock=lambda: utc_now() + timedelta(hours=hours))
    runtime.backup(ASSET)
    let_the_clock_tick(world)
    (world.source / "more").write_bytes(os.urandom(100_000))
    os.utime(world.source / "more", (0, 0))
    newest = runtime.backup(ASSET)["point"]
    (until,) = locks(world, f"points/{ASSET}/{newest}").values()
    packs = locks(world, "packs/").values()
    assert timedelta(hours=23) < until - utc_now() < timedelta(hours=25)
    assert all(timedelta(minutes=-1) < lock - until < timedelta(hours=2) for lock in packs)


def test_a_copy_locks_what_it_reuses_and_is_locked_itself(world: LockedWorld) -> None:
    other = {"nas": {"url": f"file://{world.folder / 'nas'}"}}
    runtime = world.runtime(more=other)
    runtime.initialize()
    runtime.backup(ASSET, ["nas"])
    runtime.replicate(ASSET)
    before = locks(world, "packs/")
    world.set_default(3)
    (world.source / "more").write_bytes(os.urandom(100_000))
    newest = runtime.backup(ASSET, ["nas"])["point"]
    runtime.replicate(ASSET)
    (until,) = locks(world, f"points/{ASSET}/{newest}").values()
    after = locks(world, "packs/")
    assert len(after) > len(before) > 0
    assert all(after[key] >= until > before[key] + timedelta(days=1) for key in before)
    assert {region: word[:2] for region, word in runtime.points(ASSET)[0]["locks"].items()} == {REGION: "20"}


def test_packs_of_this_run_cost_no_request(world: LockedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = world.runtime()
    runtime.initialize()
    asked: list[str] = []
    real = S3Store.lock
    monkeypatch.setattr(S3Store, "lock", lambda self, key, until: (asked.append(key), real(self, key, until)))
    runtime.backup(ASSET)
    assert asked == []
    before = set(locks(world, "packs/"))
    let_the_clock_tick(world)
    (world.source / "more").write_bytes(os.urandom(100_000))
    runtime.backup(ASSET)
    assert set(asked) == before
    assert len(asked) == len(before) > 0


def test_a_lock_that_cannot_be_extended_stops_the_commit(world: LockedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = world.runtime()
    runtime.initialize()
    first = runtime.backup(ASSET)["point"]
    let_the_clock_tick(world)

    def fails(self: S3Store, key: str, until: datetime) -> None:
        raise StoreUnavailable(f"no lock for {key} until {until}", where=self.label)

    monkeypatch.setattr(S3Store, "lock", fails)
    (world.source / "more").write_bytes(os.urandom(100_000))
    with pytest.raises(StoreUnavailable):
        runtime.backup(ASSET)
    states = {point["point"]: point["copies"][REGION] for point in runtime.points(ASSET)}
    assert states.pop(first) == "complete"
    assert set(states.values()) == {"pending"}


def test_points_say_until_when_each_copy_is_locked(world: LockedWorld) -> None:
    runtime = world.runtime()
    runtime.initialize()
    runtime.backup(ASSET)
    (point,) = world.runtime(Role.READER).points(ASSET)
    until = datetime.fromisoformat(point["locks"][REGION])
    created_at = datetime.fromisoformat(point["created_at"])
    assert timedelta(hours=23) < until - created_at < timedelta(hours=25)
    assert until.tzinfo == UTC


def test_each_step_needs_its_own_role_and_no_more(world: LockedWorld) -> None:
    world.runtime(Role.WRITER).initialize()
    point = world.runtime(Role.WRITER).backup(ASSET)["point"]
    assert world.runtime(Role.VERIFIER).verify(ASSET)["results"][0]["ok"]
    target = world.folder / "restored"
    assert world.runtime(Role.READER).restore(ASSET, str(target))["point"] == point
    assert world.runtime(Role.READER).points(ASSET)[0]["copies"] == {REGION: "verified"}
    assert world.runtime(Role.READER).doctor()["ok"]
    with pytest.raises(Refused, match="names no credentials of the writer"):
        world.runtime(Role.READER).backup(ASSET)
    with pytest.raises(Refused, match="names no credentials of the janitor"):
        world.runtime(Role.WRITER).uncover(REGION)


def test_a_standby_gets_the_readers_credentials_alone(world: LockedWorld) -> None:
    wiring = world.runtime()._wiring
    text, environ = wiring.survival_kit(wiring.config.asset(ASSET), REGION)
    assert environ == {"DR_STANDBY_ACCESS_KEY_ID": "reader-key", "DR_STANDBY_SECRET_ACCESS_KEY": "reader-secret"}
    assert json.loads(text)["regions"][REGION]["credentials"] == "env:DR_STANDBY"


def test_a_role_with_another_ones_credentials_is_refused_by_the_server(world: LockedWorld) -> None:
    world.runtime().initialize()
    as_reader = {"credentials": {"writer": "env:DR_READER"}}
    with pytest.raises(PermissionDenied):
        world.runtime(**as_reader).backup(ASSET)
    with pytest.raises(UsageError, match="DR_ABSENT_ACCESS_KEY_ID"):
        world.runtime(credentials={"writer": "env:DR_ABSENT"}).backup(ASSET)


def test_doctor_says_where_one_credential_can_do_everything(world: LockedWorld) -> None:
    world.runtime().initialize()
    assert not [said for said in world.runtime().doctor()["warnings"] if said.startswith("region")]
    shared = world.runtime(credentials="env:DR_JANITOR").doctor()["warnings"]
    assert any("region locked: one credential can read, write and delete everything" in said for said in shared)
    backup_host = world.runtime(Role.WRITER).doctor()["warnings"]
    assert any("no janitor is named" in said for said in backup_host)
    assert any("the reader is not named: the writer's credentials" in said for said in backup_host)


def test_a_standby_gets_one_profiles_keys_and_not_the_file_with_all_of_them(
    world: LockedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = world.folder / "credentials"
    file.write_text("".join(f"[{n}]\naws_access_key_id = {n}-key\naws_secret_access_key = {n}-secret\n" for n in "ab"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    wiring = world.runtime(credentials="profile:b")._wiring
    text, environ = wiring.survival_kit(wiring.config.asset(ASSET), REGION)
    assert environ == {"DR_STANDBY_ACCESS_KEY_ID": "b-key", "DR_STANDBY_SECRET_ACCESS_KEY": "b-secret"}
    assert json.loads(text)["regions"][REGION]["credentials"] == "env:DR_STANDBY"

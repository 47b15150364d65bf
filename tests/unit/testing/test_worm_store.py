"""Until its lock ends an object can be deleted by nobody, and what is put over it leaves it below."""

from datetime import timedelta

import pytest

from dr_lib.errors import NotFound, Refused
from dr_lib.storage.memory import MemoryStore
from dr_lib.testing.clocks import StandingClock
from dr_lib.testing.worm_store import WormStore

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def store(clock: StandingClock) -> WormStore:
    made = WormStore(MemoryStore("region worm"), clock, days=30)
    made.create("a", b"first")
    return made


def ids(store: WormStore) -> list[str]:
    return [one.version for one in store.versions("a")]


def test_what_is_stored_is_locked_at_once(store: WormStore, clock: StandingClock):
    assert abs(store.locked_until("a") - clock() - 30 * DAY) < timedelta(seconds=1)


def test_deleting_is_refused_until_the_lock_ends(store: WormStore, clock: StandingClock):
    [version] = ids(store)
    clock.advance(29 * DAY)
    with pytest.raises(Refused, match="locked"):
        store.delete("a", version)
    assert store.get("a") == b"first"
    clock.advance(DAY + DAY)
    assert store.locked_until("a") is None
    store.delete("a", version)
    assert list(store.list()) == list(store.versions()) == []


def test_a_lock_is_extended_and_never_shortened(store: WormStore, clock: StandingClock):
    until = clock() + 90 * DAY
    store.lock("a", until)
    store.lock("a", clock() + DAY)
    assert store.locked_until("a") == until
    with pytest.raises(Refused, match="shortened"):
        store.weaken("a", clock() + 89 * DAY)
    clock.advance(60 * DAY)
    with pytest.raises(Refused):
        store.delete("a", ids(store)[0])


def test_a_lock_that_has_ended_can_be_set_again(store: WormStore, clock: StandingClock):
    clock.advance(31 * DAY)
    store.lock("a", clock() + DAY)
    with pytest.raises(Refused):
        store.delete("a", ids(store)[0])


def test_replacing_leaves_the_locked_version_below(store: WormStore, clock: StandingClock):
    store.replace("a", b"second", store.head("a").tag)
    newest, older = ids(store)
    assert (store.get("a"), store.get_version("a", newest), store.get_version("a", older)) == (
        b"second",
        b"second",
        b"first",
    )
    for version in (newest, older):
        with pytest.raises(Refused):
            store.delete("a", version)
    clock.advance(31 * DAY)
    store.delete("a", newest)
    assert (store.get("a"), ids(store)) == (b"first", [older])


def test_the_same_content_twice_is_two_versions(store: WormStore):
    store.replace("a", b"first", store.head("a").tag)
    assert len(set(ids(store))) == 2
    assert [one.is_latest for one in store.versions()] == [True, False]


def test_a_version_that_is_gone_is_deleted_again_without_harm(store: WormStore, clock: StandingClock):
    clock.advance(31 * DAY)
    [version] = ids(store)
    store.delete("a", version)
    store.delete("a", version)
    with pytest.raises(NotFound):
        store.get_version("a", version)


def test_a_container_is_made_with_the_lock_that_was_asked_for(clock: StandingClock):
    store = WormStore(MemoryStore(created=False), clock)
    assert store.ensure_container(lock_mode="compliance", lock_days=7)
    store.create("a", b"x")
    assert store.locked_until("a") is not None
    plain = WormStore(MemoryStore(), clock)
    with pytest.raises(Refused, match="locks nothing"):
        plain.ensure_container(lock_mode="compliance", lock_days=7)
    plain.create("a", b"x")
    assert plain.locked_until("a") is None

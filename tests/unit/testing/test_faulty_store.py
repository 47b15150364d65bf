"""Every fault does what it says, when it says, to the calls that it says; and one that did nothing is told."""

from datetime import UTC, datetime, timedelta

import pytest

from dr_lib.errors import AlreadyExists, NotFound, PermissionDenied, StoreUnavailable
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.retrying import RetryingStore
from dr_lib.testing import faults
from dr_lib.testing.clocks import StandingClock
from dr_lib.testing.faulty_store import FaultNeverFired, FaultyJanitorStore, FaultyStore
from dr_lib.testing.schedules import always, at_random, first, from_the, nth

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


def over(*armed: faults.Fault, **objects: bytes) -> FaultyJanitorStore:
    inner = MemoryStore("region memory", clock=lambda: MOMENT)
    for key, data in objects.items():
        inner.create(key, data)
    return FaultyJanitorStore(inner, *armed)


@pytest.mark.parametrize(
    ("when", "struck"),
    [(always, [1, 2, 3, 4]), (nth(2), [2]), (first(2), [1, 2]), (from_the(3), [3, 4])],
)
def test_a_schedule_strikes_the_calls_that_it_names(when, struck):
    store = over(faults.error(on=("get",), prefix="a", when=when), a=b"x", b=b"y")
    found = []
    for number in range(1, 5):
        assert store.get("b") == b"y"
        assert store.head("a").size == 1
        try:
            store.get("a")
        except StoreUnavailable:
            found.append(number)
    assert found == struck
    store.assert_all_fired()


def test_chance_strikes_the_same_calls_each_time_for_one_seed():
    hits = [[number for number in range(1, 1001) if at_random(0.2, seed)(number)] for seed in (1, 1, 2)]
    assert hits[0] == hits[1] != hits[2]
    assert 120 < len(hits[0]) < 280


def test_an_error_happens_instead_of_the_call():
    store = over(faults.error(lambda: PermissionDenied("no"), on=("create",)))
    with pytest.raises(PermissionDenied):
        store.create("a", b"x")
    assert list(store.list()) == []


def test_an_answer_is_lost_after_the_call_happened():
    with over(faults.lost_answer()) as store:
        with pytest.raises(StoreUnavailable):
            store.create("a", b"x")
        assert store.get("a") == b"x"


def test_a_lost_answer_is_made_good_by_a_retry():
    with over(faults.lost_answer()) as store:
        RetryingStore(store).create("a", b"x")


def test_a_lost_refusal_looks_like_any_lost_answer():
    with over(faults.lost_answer(), a=b"first") as store, pytest.raises(StoreUnavailable):
        store.create("a", b"other")
    assert store.get("a") == b"first"


def test_a_forgetful_store_acknowledges_what_it_does_not_have():
    with over(faults.forgotten(prefix="packs/")) as store:
        store.create("packs/a", b"x")
        with pytest.raises(NotFound):
            store.get("packs/a")
        store.create("packs/b", b"x")
        assert [info.key for info in store.list()] == ["packs/b"]


def test_a_stale_list_lacks_the_newest_keys_only():
    with over(faults.stale_list(2), old=b"") as store:
        for key in ("a", "b", "c"):
            store.create(key, b"")
        assert [info.key for info in store.list()] == ["a", "old"]
        assert store.get("c") == b""


@pytest.mark.parametrize(("at", "wrong"), [(None, b"01\x33"), (0, b"\x3112"), (-1, b"01\x33")])
def test_a_bit_flips_where_it_was_asked_for(at, wrong):
    with over(faults.bit_flip(at), a=b"012") as store:
        found = store.get("a")
    assert found == (b"0\x302" if at is None else wrong)
    assert store.get("a") == b"012"


def test_a_read_is_short_and_nothing_says_so():
    with over(faults.short_read(2), a=b"0123") as store:
        assert store.get_range("a", 0, 4) == b"01"


def test_what_is_late_arrives_whole():
    waited = []
    with over(faults.latency(2.5, on=("get",), wait=waited.append), a=b"x") as store:
        assert store.get("a") == b"x"
    assert waited == [2.5]


def test_a_wrong_clock_shows_in_everything_that_tells_a_time():
    with over(faults.clock_off(timedelta(hours=-5)), a=b"x") as store:
        told = [store.head("a"), *store.list(), *store.versions()]
    assert {info.modified_at for info in told} == {MOMENT - timedelta(hours=5)}


@pytest.mark.parametrize(("after", "kept"), [(False, ["a"]), (True, ["a", "b"])])
def test_after_a_kill_nothing_reaches_the_store(after, kept):
    inner = MemoryStore()
    store = FaultyStore(inner, faults.killed_at(2, after=after))
    store.create("a", b"x")
    for key in ("b", "c", "d"):
        with pytest.raises(faults.Killed):
            store.create(key, b"x")
    assert [info.key for info in inner.list()] == kept
    assert not issubclass(faults.Killed, Exception)


def test_faults_on_one_call_happen_one_inside_the_other():
    with over(faults.lost_answer(), faults.forgotten()) as store, pytest.raises(StoreUnavailable):
        store.create("a", b"x")
    assert list(store.list()) == []


def test_a_fault_that_never_fired_fails_the_test():
    with (
        pytest.raises(FaultNeverFired, match="bit flip on get/get_range of packs/"),
        over(faults.error(on=("get",)), faults.bit_flip(prefix="packs/"), a=b"x") as store,
        pytest.raises(StoreUnavailable),
    ):
        store.get("a")


@pytest.mark.parametrize("armed", [faults.bit_flip(), faults.short_read(), faults.stale_list()])
def test_a_fault_that_met_nothing_to_spoil_has_not_fired(armed):
    store = over(armed, empty=b"")
    store.get("empty")
    list(store.list())
    with pytest.raises(FaultNeverFired):
        store.assert_all_fired()


def test_the_error_of_a_test_is_not_hidden_by_an_idle_fault():
    with pytest.raises(ZeroDivisionError), over(faults.error()):
        raise ZeroDivisionError


def test_the_janitors_calls_have_faults_too():
    store = over(faults.error(on=("delete",)), faults.lost_answer(on=("replace",)), a=b"x")
    with pytest.raises(StoreUnavailable):
        store.delete("a", store.head("a").tag)
    with pytest.raises(StoreUnavailable):
        store.replace("a", b"y", store.head("a").tag)
    assert store.get("a") == b"y"
    with pytest.raises(AlreadyExists):
        store.create("a", b"x")


def test_a_clock_stands_until_it_is_moved_and_never_shows_a_moment_twice():
    clock = StandingClock(MOMENT)
    before, after = clock(), clock()
    assert MOMENT < before < after < MOMENT + timedelta(seconds=1)
    clock.advance(timedelta(days=-1))
    assert clock() < MOMENT
    assert clock.off(timedelta(hours=2))() - clock() > timedelta(hours=1, minutes=59)

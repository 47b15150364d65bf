"""A throttled store keeps to its rate on average. Time is a number here: nothing waits."""

from datetime import UTC, datetime, time

import pytest

from dr_lib.errors import NotFound
from dr_lib.model.rates import Hours, RateLimits, Rates
from dr_lib.storage.memory import MemoryStore
from dr_lib.storage.throttled import Pace, ThrottledStore
from dr_lib.storage.throttles import Throttles


class Time:
    """Seconds that pass when somebody pauses."""

    def __init__(self) -> None:
        self.now = 1000.0

    def pause(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def pace(self, rate) -> Pace:
        return Pace(rate, now=lambda: self.now, pause=self.pause)

    @property
    def passed(self) -> float:
        return self.now - 1000.0


@pytest.fixture
def clock() -> Time:
    return Time()


def throttled(clock: Time, upload: float | None, download: float | None) -> ThrottledStore:
    inner = MemoryStore("region test")
    return ThrottledStore(inner, upload=clock.pace(lambda: upload), download=clock.pace(lambda: download))


def test_pieces_take_what_their_bytes_take_and_the_first_goes_at_once(clock: Time):
    store = throttled(clock, 100, None)
    for number in range(11):
        store.create(str(number), bytes(50))
    assert clock.passed == pytest.approx(5.0)


def test_a_large_object_is_one_piece_that_the_next_one_pays_for(clock: Time):
    store = throttled(clock, 100, None)
    store.create("large", bytes(6400))
    assert clock.passed == 0
    store.create("small", b"x")
    assert clock.passed == pytest.approx(64.0)


def test_ranges_and_whole_objects_share_the_download(clock: Time):
    store = throttled(clock, None, 10)
    store.create("key", bytes(100))
    store.get("key")
    store.get_range("key", 0, 50)
    assert clock.passed == pytest.approx(10.0)
    store.get_range("key", 0, 1)
    assert clock.passed == pytest.approx(15.0)


def test_questions_are_free_and_what_is_absent_costs_nothing(clock: Time):
    store = throttled(clock, 1, 1)
    store.check()
    assert list(store.list()) == []
    with pytest.raises(NotFound):
        store.get("nothing")
    with pytest.raises(NotFound):
        store.head("nothing")
    assert clock.passed == 0


def test_time_that_nobody_used_is_not_saved_up(clock: Time):
    store = throttled(clock, 100, None)
    clock.now += 3600
    for number in range(3):
        store.create(str(number), bytes(100))
    assert clock.passed == pytest.approx(3602.0)


def test_a_rate_that_changes_counts_from_the_next_piece_on(clock: Time):
    rates: list[float | None] = [100, 10, None, None]
    store = ThrottledStore(MemoryStore(), upload=clock.pace(lambda: rates.pop(0)), download=clock.pace(lambda: None))
    store.create("a", bytes(100))
    store.create("b", bytes(100))
    assert clock.passed == pytest.approx(1.0)
    store.create("c", bytes(100))
    assert clock.passed == pytest.approx(1.0)


class Places:
    """Throttles over memory stores, at an hour that a test may turn."""

    def __init__(self, clock: Time, forced: Rates | None = None, **limits: RateLimits) -> None:
        self.hour = 12
        self.throttles = Throttles(limits, self.moment, forced, clock.pace)

    def moment(self) -> datetime:
        return datetime(2026, 1, 1, self.hour, tzinfo=UTC)

    def store(self, region: str):
        return self.throttles.over(region, MemoryStore(region))


def test_stores_of_a_region_share_its_pace_and_another_region_has_its_own(clock: Time):
    places = Places(clock, one=RateLimits(Rates(upload=10)), two=RateLimits(Rates(upload=10)))
    for store in (places.store("one"), places.store("one"), places.store("two")):
        store.create("key", bytes(100))
    assert clock.passed == pytest.approx(10.0)


def test_hours_of_the_configuration_are_followed(clock: Time):
    places = Places(clock, one=RateLimits(hours=(Hours(time(8), time(18), Rates(upload=10)),)))
    store = places.store("one")
    store.create("a", bytes(100))
    places.hour = 20
    store.create("b", bytes(100))
    assert clock.passed == 0
    places.hour = 9
    store.create("c", bytes(100))
    assert clock.passed == pytest.approx(10.0)


def test_a_commands_rate_replaces_the_configurations_and_is_shared_by_all_regions(clock: Time):
    places = Places(clock, Rates(upload=1000), one=RateLimits(Rates(upload=1, download=10)))
    for region in ("one", "two", "one"):
        places.store(region).create("key", bytes(1000))
    assert clock.passed == pytest.approx(2.0)
    store = places.store("one")
    store.create("key", bytes(100))
    for _ in range(2):
        store.get("key")
    assert clock.passed == pytest.approx(13.0), "the download's own limit stays"


def test_a_region_without_limits_is_left_alone(clock: Time):
    store = MemoryStore()
    assert Places(clock).throttles.over("one", store) is store

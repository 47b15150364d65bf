"""Which rate is in force: hours of the day, over midnight, in a time zone."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from dr_lib.model.rates import Hours, RateLimits, Rates
from dr_lib.policy.throttling import rates_at

DAY = Hours(time(8), time(18), Rates(upload=5))
NIGHT = Hours(time(22, 30), time(6), Rates(download=90))
LIMITS = RateLimits(Rates(upload=50, download=200), (DAY, NIGHT))


def at(hour: int, minute: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, 15, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "rates"),
    [
        (at(7, 59), Rates(50, 200)),
        (at(8), Rates(5, 200)),
        (at(17, 59), Rates(5, 200)),
        (at(18), Rates(50, 200)),
        (at(22, 29), Rates(50, 200)),
        (at(22, 30), Rates(50, 90)),
        (at(0), Rates(50, 90)),
        (at(5, 59), Rates(50, 90)),
        (at(6), Rates(50, 200)),
    ],
)
def test_hours_begin_and_end_to_the_minute_and_wrap_over_midnight(moment, rates):
    assert rates_at(LIMITS, moment) == rates


def test_the_first_hours_that_fit_count():
    limits = RateLimits(hours=(Hours(time(9), time(10), Rates(upload=1)), DAY))
    assert [rates_at(limits, at(hour)).upload for hour in (8, 9, 10, 18)] == [5, 1, 5, None]


def test_hours_are_those_of_the_time_zone_summer_time_included():
    limits = RateLimits(hours=(DAY,), timezone=ZoneInfo("Europe/Berlin"))
    assert [rates_at(limits, at(h)).upload for h in (6, 7, 16, 17)] == [None, 5, 5, None]
    assert [rates_at(limits, at(h, month=7)).upload for h in (5, 6, 15, 16)] == [None, 5, 5, None]

"""When something was last due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dr_lib.policy.schedules import last_due

MONDAY = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.mark.parametrize("after", [timedelta(0), timedelta(microseconds=1), timedelta(seconds=59), timedelta(days=6)])
def test_it_is_the_last_moment_that_the_line_names(after: timedelta):
    assert last_due("0 3 * * 1", MONDAY + after) == MONDAY


def test_just_before_it_is_the_one_before():
    assert last_due("0 3 * * 1", MONDAY - timedelta(microseconds=1)) == MONDAY - timedelta(days=7)


def test_lines_are_of_utc_wherever_it_is_asked():
    tokyo = MONDAY.astimezone(timezone(timedelta(hours=9)))
    found = last_due("0 3 * * *", tokyo)
    assert (found, found.utcoffset()) == (MONDAY, timedelta(0))

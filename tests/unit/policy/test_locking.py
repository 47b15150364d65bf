"""How long what a new point needs has to be locked."""

from datetime import UTC, datetime, timedelta

import pytest

from dr_lib.policy.locking import due, is_kept, needs_extension

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, False),
        (NOW + 30 * DAY, True),
        (NOW + 400 * DAY, True),
        (NOW + 30 * DAY - timedelta(seconds=1), True),
        (NOW + 30 * DAY - HOUR, False),
        (NOW + 29 * DAY, False),
    ],
)
def test_a_store_locks_as_demanded_or_it_does_not(given, kept):
    assert is_kept(given, NOW, 30) is kept


@pytest.mark.parametrize("given", [NOW + 30 * DAY, NOW + 400 * DAY])
def test_what_is_older_is_locked_longer_than_what_is_created_within_the_hour(given):
    assert due(given, NOW, 30) >= given + HOUR


def test_a_server_that_rounds_down_shortens_nothing():
    assert due(NOW + 30 * DAY - timedelta(seconds=1), NOW, 30) >= NOW + 30 * DAY


@pytest.mark.parametrize(
    ("stored_at", "is_fresh", "extended"),
    [
        (NOW, True, False),
        (NOW - HOUR / 2, True, False),
        (NOW - 5 * HOUR, True, True),
        (NOW, False, True),
        (NOW + 5 * HOUR, False, True),
        (NOW - 90 * DAY, False, True),
    ],
)
def test_what_this_run_stored_just_now_needs_no_request(stored_at, is_fresh, extended):
    assert needs_extension(stored_at, NOW, is_fresh=is_fresh) is extended

"""A walk of samples reads every byte again within the promised time, whatever comes and goes meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.model.scrub import Coverage, Span
from dr_lib.policy.scrub_plan import END, Item, aged, everything, extended, measured, sample, share

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = timedelta(days=30)


def items(*keys: str, size: int = 10, at: datetime = START) -> list[Item]:
    return [Item(key, size, at) for key in keys]


def keys(chosen: list[Item]) -> str:
    return "".join(item.key for item in chosen)


@pytest.mark.parametrize(
    ("gap", "within", "part"),
    [
        (None, MONTH, 1 / 29),
        (DAY, MONTH, 1 / 29),
        (timedelta(hours=1), MONTH, 1 / 719),
        (timedelta(days=7), MONTH, 1 / 3),
        (timedelta(days=29), MONTH, 1),
        (timedelta(days=400), MONTH, 1),
        (timedelta(0), MONTH, 1 / 29),
        (-DAY, MONTH, 1 / 29),
        (DAY, timedelta(hours=5), 1),
    ],
)
def test_the_share_of_a_run_follows_from_how_long_ago_the_last_one_was(gap, within, part):
    assert share(gap, within) == pytest.approx(part)


def test_a_sample_goes_on_where_the_last_one_ended_and_round():
    assert keys(sample(items(*"abcde"), "b", 0.4)) == "cd"
    assert keys(sample(items(*"abcde"), "d", 0.4)) == "ea"
    assert keys(sample(items(*"abcde"), "e", 0.0)) == "a"
    assert keys(sample(items(*"abcde"), "bb", 0.2)) == "c"
    assert keys(sample(items(*"abcde"), "c", 1.0)) == "deabc"
    assert sample([], "c", 0.5) == []


def test_a_large_object_is_read_whole_and_alone():
    big = [Item("a", 1000, START), Item("b", 1, START), Item("c", 1, START)]
    assert keys(sample(big, "", 0.1)) == "a"


def test_what_a_run_covers_is_remembered_span_by_span():
    first = extended((), "", "b", START)
    second = extended(first, "b", "d", START + DAY)
    round_the_end = extended(second, "d", "a", START + 2 * DAY)
    assert second == (Span("b", START), Span("d", START + DAY), Span(END, None))
    assert round_the_end == (
        Span("a", START + 2 * DAY),
        Span("b", START),
        Span("d", START + DAY),
        Span(END, START + 2 * DAY),
    )


def test_bytes_that_came_after_a_reading_were_not_read_by_it():
    late = [*items("a", "c"), Item("b", 10, START + 3 * DAY)]
    found = measured(sorted(late, key=lambda i: i.key), everything(START + 2 * DAY), START + 4 * DAY, 1.5 * DAY)
    assert found == Coverage(30, 10, 2 * 86_400, 1.5 * 86_400)
    assert found.overdue


def test_a_reading_that_lies_in_the_future_proves_nothing():
    found = measured(items("a"), everything(START + 90 * DAY), START + 60 * DAY, MONTH)
    assert (found.read_bytes, found.oldest_s, found.overdue) == (0, 60 * 86_400, True)


def test_what_waits_goes_on_waiting_while_nothing_is_read():
    assert aged(Coverage(9, 9, 86_400, 2 * 86_400), DAY) == Coverage(9, 9, 2 * 86_400, 2 * 86_400)
    assert aged(Coverage(9, 9, 5, 9), -DAY).oldest_s == 5


@given(
    sizes=st.lists(st.integers(1, 1000), min_size=1, max_size=40),
    hours=st.lists(st.integers(1, 60), min_size=1, max_size=10),
    added=st.integers(0, 20),
)
def test_every_byte_is_read_again_within_the_promised_time(sizes, hours, added):
    """Whatever is added between the runs; where they come irregularly, within that time and the longest gap."""
    now, cursor, coverage, last = START, "", (), None
    stock = [Item(f"{number * 7919 % 1000:04d}", size, START) for number, size in enumerate(sizes)]
    longest = timedelta(hours=max(hours))
    for turn in range(60):
        now += timedelta(hours=hours[turn % len(hours)])
        if turn < added:
            stock.append(Item(f"{turn * 104_729 % 1000:04d}+", 10, now))
        stock.sort(key=lambda item: item.key)
        chosen = sample(stock, cursor, share(None if last is None else now - last, 10 * DAY))
        whole = len(chosen) == len(stock)
        coverage = everything(now) if whole else extended(coverage, cursor, chosen[-1].key, now)
        cursor, last = chosen[-1].key, now
        waited = measured(stock, coverage, now, 10 * DAY).oldest_s
        late = timedelta(0) if len(set(hours)) == 1 else longest
        assert waited <= (10 * DAY + late).total_seconds()

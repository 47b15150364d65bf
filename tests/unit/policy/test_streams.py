"""How many requests are in flight follows from what they brought."""

import pytest

from dr_lib.policy.streams import FIRST, LEAST, MOST, Pace, next_pace


def settled(link, windows: int = 60) -> list[int]:
    """The numbers of streams of the last ten windows over a link: streams -> bytes a second."""
    pace, seen = Pace(), []
    for _ in range(windows):
        pace = next_pace(pace, link(pace.streams))
        seen.append(pace.streams)
    return seen[-10:]


def test_the_first_guess_is_within_what_is_promised():
    assert LEAST <= FIRST <= MOST
    assert (FIRST, MOST) == (16, 32)


def test_a_long_thin_path_gets_nearly_all_streams():
    found = settled(lambda streams: streams * 10.0)
    assert max(found) == MOST
    assert sum(found) / len(found) > 24


def test_a_link_that_one_stream_fills_gets_few():
    assert max(settled(lambda _: 100.0)) <= LEAST + 2


@pytest.mark.parametrize("enough", [8, 12, 20])
def test_a_link_that_some_streams_fill_gets_about_so_many(enough):
    found = settled(lambda streams: min(streams, enough) * 10.0)
    assert enough * 0.7 <= sum(found) / len(found) <= enough * 1.3


def test_a_server_that_breaks_down_under_many_streams_gets_fewer():
    assert sum(settled(lambda streams: 1000.0 / max(streams - 6, 1))) / 10 < 10


def test_a_link_that_changes_is_followed():
    pace = Pace()
    for _ in range(20):
        pace = next_pace(pace, 100.0)
    for _ in range(20):
        pace = next_pace(pace, pace.streams * 10.0)
    assert pace.streams > 20


def test_an_outage_is_no_measure():
    assert LEAST <= next_pace(Pace(16, 12, 0.0), 0.0).streams <= MOST

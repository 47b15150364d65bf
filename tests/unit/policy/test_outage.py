"""How long there was no right answer."""

from hypothesis import given
from hypothesis import strategies as st

from dr_lib.policy.health import Said
from dr_lib.policy.outage import Outage, outage

RIGHT, WRONG, NOTHING = Said.RIGHT, Said.WRONG, Said.NOTHING


def test_without_a_bad_answer_there_is_none():
    assert outage([(0.0, RIGHT), (1.0, RIGHT)]) == Outage(2, 2, 0.0, is_over=True)
    assert outage([]) == Outage(0, 0, 0.0, is_over=False), "who asked nothing knows nothing"


def test_it_counts_from_the_last_right_answer_to_the_next_one():
    heard = [(0.0, RIGHT), (1.0, RIGHT), (2.0, NOTHING), (3.0, WRONG), (4.5, RIGHT), (5.0, RIGHT)]
    assert outage(heard) == Outage(6, 4, 3.5, is_over=True, begin=1.0, end=4.5)


def test_two_gaps_count_as_one_with_what_lies_between():
    assert outage([(0.0, RIGHT), (1.0, NOTHING), (2.0, RIGHT), (3.0, NOTHING), (4.0, RIGHT)]).seconds == 4.0


def test_one_that_is_not_over_says_so():
    assert outage([(0.0, RIGHT), (1.0, NOTHING), (9.0, NOTHING)]) == Outage(
        3, 1, 9.0, is_over=False, begin=0.0, end=9.0
    )


def test_what_was_down_all_the_time():
    assert outage([(2.0, NOTHING), (7.0, NOTHING)]) == Outage(2, 0, 5.0, is_over=False, begin=2.0, end=7.0)


@given(st.lists(st.sampled_from(list(Said)), max_size=30))
def test_it_covers_every_bad_answer_and_no_more_than_was_watched(said: list[Said]):
    heard = [(float(at), one) for at, one in enumerate(said)]
    found = outage(heard)
    assert found.asked == len(said)
    assert 0 <= found.seconds <= max(0, len(said) - 1)
    bad = [at for at, one in heard if one is not RIGHT]
    assert not bad or found.seconds >= bad[-1] - bad[0]

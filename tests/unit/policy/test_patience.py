"""When a request counts as stalled, and when as lost."""

from dr_lib.policy.patience import Patience


def test_few_answers_say_nothing_about_the_next_one():
    assert Patience().stalls_after([0.1] * 4) == 15.0


def test_a_stall_is_a_multiple_of_what_answers_take_and_never_a_moment():
    assert Patience().stalls_after([3.0, 4.0, 5.0, 4.0, 90.0]) == 16.0
    assert Patience().stalls_after([0.01] * 9) == 5.0


def test_a_large_range_over_a_slow_link_is_not_lost_while_it_comes():
    assert Patience().lost_after(64 << 20) > 600
    assert Patience().lost_after(0) == 60.0

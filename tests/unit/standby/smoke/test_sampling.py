"""Which row groups are compared: all of them, or so many that they come to about the limit, from everywhere."""

from __future__ import annotations

from dr_lib.standby.smoke.sampling import Unit, chosen


def test_what_is_small_enough_is_compared_whole():
    assert chosen([Unit("a", 0, 50), Unit("b", 0, 50)], most=100) is None
    assert chosen([], most=100) is None


def test_of_more_evenly_spaced_parts_are_taken():
    units = [Unit(name, number, 10) for name in "abc" for number in range(10)]
    assert chosen(units, most=100) == {"a": [0, 3, 6, 9], "b": [2, 5, 8], "c": [1, 4, 7]}


def test_something_is_always_taken():
    assert chosen([Unit("a", 0, 1000), Unit("a", 1, 1000)], most=1) == {"a": [0]}

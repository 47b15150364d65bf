"""The bisection: near the truth from above, within its time, and never a number where nothing is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.standby.control import search
from dr_lib.standby.control.search import smallest


def noticing_from(share: float, asked: list[float] | None = None) -> Callable[[float], bool]:
    def notices(size: float) -> bool:
        if asked is not None:
            asked.append(size)
        return size >= share

    return notices


@given(st.floats(-7, 0).map(lambda power: 10.0**power))
def test_it_ends_a_little_above_the_truth(share: float):
    found = smallest(noticing_from(share), 1e9)
    assert found is not None
    assert share <= found <= share * 1.3


def test_what_is_noticed_at_once_is_not_told_as_smaller_than_was_tried():
    asked: list[float] = []
    found = smallest(noticing_from(0.0, asked), 1e9)
    assert found == min(asked)
    assert found >= 1e-7


def test_nothing_noticed_is_no_number():
    assert smallest(noticing_from(2.0), 1e9) is None


def test_without_time_the_greatest_stands(monkeypatch: pytest.MonkeyPatch):
    times = iter(range(0, 100, 10))
    monkeypatch.setattr(search, "monotonic", lambda: float(next(times)))
    asked: list[float] = []
    assert smallest(noticing_from(0.01, asked), 5.0) == 1.0
    assert asked == [1.0]

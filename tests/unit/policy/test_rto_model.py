"""What earlier recoveries foretell: more bytes and slower links take longer, and too few drills foretell nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.policy.rto_model import Observed, fit, forecast

GB = 10**9


def drill(size: int, wobble: float = 0.0) -> Observed:
    """3 s to get going, 10 s a GB to fetch after half a second, 2 s a GB to decode."""
    return Observed(size, {"acquire": 3.0 + wobble, "fetch": 0.5 + 10 * size / GB, "decode": 2 * size / GB})


def test_fewer_than_three_foretell_nothing():
    assert fit([drill(GB), drill(2 * GB)]) is None


def test_constants_and_costs_a_byte_are_told_apart_where_sizes_differ():
    model = fit([drill(GB), drill(2 * GB), drill(3 * GB)])
    assert model is not None
    assert model.told_apart
    found = forecast(model, 100 * GB)
    assert found.seconds == pytest.approx(3 + 0.5 + 1000 + 200)
    assert found.low_s == pytest.approx(found.high_s)


def test_another_link_changes_what_is_fetched_and_nothing_else():
    model = fit([drill(GB), drill(2 * GB), drill(3 * GB)])
    assert model is not None
    assert forecast(model, 10 * GB, link=GB).phases == pytest.approx({"acquire": 3.0, "fetch": 10.5, "decode": 20.0})


def test_one_size_alone_foretells_rather_too_much_and_says_so():
    model = fit([drill(GB), drill(GB), drill(GB)])
    assert model is not None
    found = forecast(model, 10 * GB)
    assert found.seconds == pytest.approx(3 + 105 + 20)
    assert any("nearly one size" in note for note in found.notes)


def test_the_low_end_is_a_load_that_does_not_grow_where_one_size_cannot_tell():
    model = fit([Observed(GB, {"fetch": 10.0, "load": 20.0})] * 3)
    assert model is not None
    found = forecast(model, 10 * GB)
    assert (found.low_s, found.seconds) == pytest.approx((120.0, 300.0))


def test_what_varied_makes_the_interval_wide():
    model = fit([drill(GB, -1), drill(GB), drill(GB, 1)])
    assert model is not None
    found = forecast(model, GB)
    assert found.low_s < found.seconds - 1
    assert found.high_s > found.seconds + 1


def test_drills_that_restored_nothing_do_not_divide_by_it():
    model = fit([Observed(0, {"detect": 1.0, "fetch": 0.5})] * 3)
    assert model is not None
    assert forecast(model, 0).seconds == pytest.approx(1.5)


@given(
    st.lists(
        st.tuples(st.integers(0, 10**13), st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6)),
        min_size=3,
        max_size=12,
    ),
    st.integers(0, 10**15),
)
def test_no_history_foretells_less_than_nothing(history, size):
    model = fit([Observed(count, {"detect": a, "fetch": b, "load": c}) for count, a, b, c in history])
    assert model is not None
    found = forecast(model, size)
    assert 0 <= found.low_s <= found.seconds <= found.high_s
    assert all(seconds >= 0 for seconds in found.phases.values())

"""Shards in ranges that Airflow can map over."""

from __future__ import annotations

from dr_airflow.batches import MOST_MAPPED, ranges
from hypothesis import given
from hypothesis import strategies as st


@given(count=st.integers(0, 5000), most=st.integers(1, 1200))
def test_ranges_cover_every_shard_once_and_in_order(count, most):
    pieces = ranges(count, most)
    assert [shard for start, stop in pieces for shard in range(start, stop)] == list(range(count))
    assert 1 <= len(pieces) <= most


@given(count=st.integers(1, 100_000))
def test_no_range_is_much_longer_than_another(count):
    lengths = [stop - start for start, stop in ranges(count, MOST_MAPPED)]
    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= 1

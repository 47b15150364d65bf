"""A column's digest: the same however it is cut, another one for any other values in any other order."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.standby.smoke.column_digest import ColumnDigest

VALUES: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "integers": (pa.int32(), st.integers(-5, 5)),
    "floats": (pa.float64(), st.floats(allow_nan=False)),
    "booleans": (pa.bool_(), st.booleans()),
    "texts": (pa.string(), st.text(max_size=3)),
    "views": (pa.string_view(), st.text(max_size=20)),
    "bytes": (pa.large_binary(), st.binary(max_size=3)),
    "fixed": (pa.binary(2), st.binary(min_size=2, max_size=2)),
    "decimals": (pa.decimal128(5, 2), st.integers(-999, 999).map(lambda n: Decimal(n) / 100)),
    "times": (pa.timestamp("us"), st.integers(0, 9).map(lambda n: datetime.fromtimestamp(n, UTC).replace(tzinfo=None))),
    "lists": (pa.list_(pa.int8()), st.lists(st.none() | st.integers(0, 3), max_size=3)),
    "pairs": (pa.list_(pa.int8(), 2), st.lists(st.integers(0, 3), min_size=2, max_size=2)),
    "structs": (
        pa.struct({"a": pa.int8(), "b": pa.string()}),
        st.fixed_dictionaries({"a": st.none() | st.integers(0, 3), "b": st.text(max_size=2)}),
    ),
    "maps": (pa.map_(pa.string(), pa.int8()), st.lists(st.tuples(st.text(max_size=2), st.integers(0, 3)), max_size=2)),
    "nulls": (pa.null(), st.none()),
}  # fmt: skip
COLUMN = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.tuples(st.just(VALUES[name][0]), st.lists(st.none() | VALUES[name][1], max_size=8))
)


def digest(*pieces: pa.Array) -> str:
    found = ColumnDigest()
    for piece in pieces:
        found.add(piece)
    return found.hexdigest()


@given(COLUMN, st.data())
def test_it_does_not_matter_where_a_column_is_cut(column: tuple[pa.DataType, list[Any]], data: st.DataObject):
    kind, values = column
    whole = pa.array(values, kind)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=3)))
    ends = [0, *cuts, len(values)]
    pieces = [whole.slice(start, end - start) for start, end in pairwise(ends)]
    assert digest(*pieces) == digest(whole) == digest(pa.array(values, kind))


@given(COLUMN, st.data())
def test_other_values_have_another_digest(column: tuple[pa.DataType, list[Any]], data: st.DataObject):
    kind, values = column
    name = next(name for name, (found, _) in VALUES.items() if found == kind)
    other = data.draw(st.lists(st.none() | VALUES[name][1], max_size=8))
    one, two = pa.array(values, kind), pa.array(other, kind)
    assert (digest(one) == digest(two)) == (repr(one.to_pylist()) == repr(two.to_pylist()))


def test_what_lies_below_a_null_does_not_count():
    mask = pa.py_buffer(b"\x05")
    below = [pa.py_buffer(bytes([1, number, 3])) for number in (7, 9)]
    one, other = (pa.Array.from_buffers(pa.int8(), 3, [mask, data]) for data in below)
    assert one.null_count == 1
    assert digest(one) == digest(other)


@pytest.mark.parametrize("kind", [pa.string(), pa.int64()])
def test_a_dictionary_is_what_it_stands_for(kind: pa.DataType):
    values = pa.array([1, 2, 1, None]).cast(kind)
    assert digest(values.dictionary_encode()) == digest(values)


def test_an_extension_type_is_how_it_is_stored():
    assert digest(pa.array([b"0" * 16, None], pa.uuid())) == digest(pa.array([b"0" * 16, None], pa.binary(16)))

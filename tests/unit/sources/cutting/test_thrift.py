"""Thrift's compact encoding: wanted fields are read, all others passed over, and nothing hostile takes long."""

from __future__ import annotations

import contextlib
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.sources.cutting.spans import OddBytes
from dr_lib.sources.cutting.thrift import parse


def footer(groups: int, columns: int) -> tuple[bytes, pq.FileMetaData]:
    target = io.BytesIO()
    table = pa.table({f"c{number}": list(range(50)) for number in range(columns)})
    pq.write_table(table, target, row_group_size=-(-50 // groups), write_page_index=True, store_schema=True)
    content = target.getvalue()
    return content[-8 - int.from_bytes(content[-8:-4], "little") : -8], pq.read_metadata(target)


@pytest.mark.parametrize(("groups", "columns"), [(1, 1), (2, 20), (25, 3)])
def test_it_reads_what_pyarrow_reads(groups, columns):
    raw, facts = footer(groups, columns)
    found = parse(raw, {1: {}, 3: {}, 4: {1: {3: {7: {}, 9: {}}}, 3: {}}})
    assert (found[3], len(found[4])) == (facts.num_rows, groups)
    for number, group in enumerate(found[4]):
        assert group[3] == facts.row_group(number).num_rows
        for place, column in enumerate(group[1]):
            expected = facts.row_group(number).column(place)
            assert column[3] == {7: expected.total_compressed_size, 9: expected.data_page_offset}


def test_negative_numbers_distant_fields_maps_and_bools_are_understood():
    fields = bytes(
        [0x16, 0x01, 0x06, 0x90, 0x03, 0x09, 0x11, 0x1B, 2, 0x58, 1, 1, 65, 3, 0, 0x17, *bytes(8), 0x15, 6, 0]
    )
    assert parse(fields, {1: {}, 200: {}, 204: {}}) == {1: -1, 200: -5, 204: 3}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x15",
        b"\x16" + b"\xff" * 11,
        b"\x18\xff\xff\xff\xff\x7f",
        b"\x19\xfc\xff\xff\xff\xff\x0f",
        b"\x1b\xff\xff\xff\xff\x0f\x55",
        b"\x1c" * 1000,
        b"\x19" + b"\x19" * 1000,
        b"\x1d\0",
    ],
)
def test_what_is_no_struct_is_refused(data):
    with pytest.raises(OddBytes):
        parse(data, {1: {1: {}}})


FOOTER = footer(2, 3)[0]


def test_more_structs_than_memory_is_good_for_are_refused():
    million = b"\x19\xfc\xc0\x84\x3d" + bytes(1_000_001)
    assert parse(million, {2: {}}) == {}
    with pytest.raises(OddBytes):
        parse(million, {1: {1: {}}})


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_anything_else_is_read_or_refused(rest, kept):
    with contextlib.suppress(OddBytes):
        found = parse(FOOTER[:kept] + rest, {4: {1: {3: {7: {}}}}})
        assert found.keys() <= {4}

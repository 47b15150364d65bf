"""Parquet files are cut at row groups and long column chunks, so that appended row groups are all that is stored."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dr_lib.sources.cut import cut_file
from tests.unit.sources.cutting.contents import KIB, MIB, assert_opaque, cut, new_bytes, noise, reader


def table(seed: int, rows: int, columns: int = 3) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table({f"c{number}": random.standard_normal(rows) for number in range(columns)})


def parquet_file(*groups: pa.Table, **options: object) -> bytes:
    target = io.BytesIO()
    with pq.ParquetWriter(target, groups[0].schema, **options) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=group.num_rows)
    return target.getvalue()


def starts(content: bytes) -> list[int]:
    """Where row groups begin, as pyarrow tells."""
    facts = pq.read_metadata(io.BytesIO(content))
    columns = (facts.row_group(number).column(0) for number in range(facts.num_row_groups))
    return [column.dictionary_page_offset or column.data_page_offset for column in columns]


def edges(content: bytes) -> set[int]:
    return {span.offset for span in cut(content).spans}


@pytest.mark.parametrize("rows", [12_000, 60_000, 400_000])
def test_a_row_group_of_some_length_always_begins_a_frame(rows):
    content = parquet_file(*(table(seed, rows) for seed in range(4)))
    assert len(content) > MIB
    assert set(starts(content)[1:]) <= edges(content)


@pytest.mark.parametrize(("rows", "codec"), [(50, "snappy"), (12_000, "zstd"), (60_000, "none"), (400_000, "snappy")])
def test_appended_row_groups_are_stored_and_the_footer(rows, codec):
    groups = [table(seed, rows) for seed in range(max(6, 100_000 // rows))]
    before = parquet_file(*groups, compression=codec)
    after = parquet_file(*groups, table(99, rows), compression=codec)
    assert len(before) > MIB
    appended = len(after) - len(before)
    footer = len(after) - pq_end(after)
    assert new_bytes(after, before) <= appended + footer + 300 * KIB


def pq_end(content: bytes) -> int:
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def test_a_column_that_changed_leaves_long_columns_as_they_are():
    first = table(1, 300_000)
    second = first.set_column(1, "c1", table(2, 300_000).column("c1"))
    before, after = parquet_file(first), parquet_file(second)
    assert new_bytes(after, before) < len(after) / 3 + 100 * KIB


def test_many_short_columns_are_bundled():
    content = parquet_file(*(table(seed, 2_000, columns=200) for seed in range(2)))
    lengths = [span.length for span in cut(content).spans]
    assert max(lengths) <= MIB
    assert len(lengths) <= 12


def test_dictionaries_go_with_their_columns():
    words = pa.table(
        {"word": pa.array([f"word {n % 5000}" for n in range(400_000)]), "n": table(1, 400_000).column("c0")}
    )
    content = parquet_file(words, words)
    assert starts(content)[1] in edges(content)


def test_the_footer_alone_is_read():
    content, read = parquet_file(*(table(seed, 100_000) for seed in range(3))), []

    def noting(offset: int, length: int) -> bytes:
        read.append(length)
        return reader(content)(offset, length)

    cut_file("part-0.parquet", noting, len(content))
    assert sum(read) < 64 * KIB


@pytest.mark.parametrize("length", [0, 1, 1000, MIB, 2 * MIB, (1 << 32) - 1])
def test_a_footer_that_is_none_is_opaque(length):
    assert_opaque(b"PAR1" + noise(1, 2 * MIB) + length.to_bytes(4, "little") + b"PAR1")


def test_a_truncated_file_is_opaque():
    assert_opaque(parquet_file(table(1, 100_000))[:-100])


def test_columns_that_reach_outside_are_opaque():
    content = parquet_file(table(1, 100_000))
    assert_opaque(content[:4] + content[MIB // 2 :])

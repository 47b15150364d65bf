"""Opaque bytes are cut where their content says, so that an insertion does not move every cut after it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dr_lib.errors import SourceUnstable
from dr_lib.sources.cut import FRAME_BYTES, cut_file, divisions
from dr_lib.sources.cutting import chunking
from dr_lib.sources.cutting.chunking import LEAST_BYTES, SEGMENT_BYTES, WINDOW_BYTES
from tests.unit.sources.cutting.contents import MIB, cut, new_bytes, noise, reader


def test_bytes_inserted_at_the_start_are_stored_and_little_else():
    content = noise(1, 24 * MIB)
    assert new_bytes(b"a few more" + content, content) < 5 * MIB
    assert new_bytes(content[: 9 * MIB] + b"in the middle" + content[9 * MIB :], content) < 9 * MIB


def test_chunks_are_of_a_good_length():
    lengths = [span.length for span in cut(noise(2, 32 * MIB)).spans]
    assert all(LEAST_BYTES <= length <= FRAME_BYTES for length in lengths[:-1])
    assert 16 < len(lengths) < 48


def test_rows_appended_to_text_leave_what_was_there():
    lines = [f'{{"id": {number}, "text": "line {number * 7919}"}}\n'.encode() for number in range(200_000)]
    before = b"".join(lines[:-1000])
    assert len(before) > 6 * MIB
    assert new_bytes(b"".join(lines), before) < 5 * MIB


def test_the_file_is_read_once_in_order_and_in_bounded_parts():
    content, read = noise(3, 10 * MIB + 1), []

    def noting(offset: int, length: int) -> bytes:
        read.append((offset, length))
        return reader(content)(offset, length)

    cut_file("model.onnx", noting, len(content))
    whole = [part for part in read if part[1] > 1000]
    assert max(length for _, length in whole) <= FRAME_BYTES
    assert [offset for offset, _ in whole] == [sum(length for _, length in whole[:n]) for n in range(len(whole))]
    assert sum(length for _, length in read) < len(content) + 1000


@pytest.fixture
def short_segments(monkeypatch):
    """Files from 16 MiB on have segments of 8 MiB, as longer ones have of 128 MiB."""
    monkeypatch.setattr(chunking, "CHUNKED_BYTES", 16 * MIB)
    monkeypatch.setattr(chunking, "SEGMENT_BYTES", 8 * MIB)
    monkeypatch.setattr(chunking, "WINDOW_BYTES", 4 * MIB)


@pytest.mark.usefixtures("short_segments")
def test_an_insertion_into_a_long_file_stays_within_its_segment():
    content = noise(5, 64 * MIB)
    assert new_bytes(b"a few more" + content, content) < 5 * MIB
    assert new_bytes(content[: 30 * MIB] + b"in the middle" * 1000 + content[30 * MIB :], content) < 9 * MIB
    assert new_bytes(content[: 9 * MIB] + content[9 * MIB + 5 :], content) < 9 * MIB


@pytest.mark.usefixtures("short_segments")
def test_the_parts_of_a_long_file_are_cut_alike_on_every_worker():
    content = noise(6, 50 * MIB)
    edges = [0, *divisions("x", reader(content), len(content)), len(content)]
    assert [edge // (8 * MIB) for edge in edges[:-1]] == [0, 1, 2, 3, 4, 5, 6][: len(edges) - 1]
    parts = [cut_file("x", reader(content), len(content), part).spans for part in pairwise(edges)]
    assert tuple(span for spans in parts for span in spans) == cut(content).spans
    two = cut_file("x", reader(content), len(content), (edges[1], edges[3])).spans
    assert two == parts[1] + parts[2]


@pytest.mark.usefixtures("short_segments")
def test_a_part_of_a_long_file_is_all_that_is_read():
    content, read = noise(7, 50 * MIB), []

    def noting(offset: int, length: int) -> bytes:
        read.append((offset, length))
        return reader(content)(offset, length)

    edges = list(divisions("x", noting, len(content)))
    assert sum(length for _, length in read) < len(edges) * 4 * MIB + 1000
    read.clear()
    cut_file("x", noting, len(content), (edges[2], edges[3]))
    assert sum(length for _, length in read) <= edges[3] - edges[2] + 2 * 4 * MIB + 1000
    assert all(edges[2] - 4 * MIB <= offset < edges[3] for offset, length in read if length > 1000)


def test_a_long_file_is_divided_into_parts_that_one_worker_can_take():
    size, read = 5 << 30, []

    def zeros(offset: int, length: int) -> bytes:
        read.append(length)
        return bytes(length)

    edges = [0, *divisions("huge.h5", zeros, size), size]
    assert all(end - start <= SEGMENT_BYTES + WINDOW_BYTES for start, end in pairwise(edges))
    assert max(read) <= WINDOW_BYTES
    assert sum(read) < size / 12


def test_what_the_source_raises_is_passed_on():
    content = noise(4, 9 * MIB)

    def read(offset: int, length: int) -> bytes:
        if offset >= 4 * MIB:
            raise SourceUnstable("it is gone", where="here", hint="stop writing")
        return reader(content)(offset, length)

    with pytest.raises(SourceUnstable):
        cut_file("blob", read, len(content))

"""Opaque bytes are cut where their content says, so that an insertion does not move every cut after it."""

from __future__ import annotations

import pytest

from dr_lib.errors import SourceUnstable
from dr_lib.sources.base import FileCut
from dr_lib.sources.cut import FRAME_BYTES, cut_file
from dr_lib.sources.cutting.chunking import CHUNKED_BYTES, LEAST_BYTES
from tests.unit.sources.cutting.contents import MIB, assert_covers, cut, new_bytes, noise, reader


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


def test_a_file_that_several_shards_share_is_not_read_for_its_cuts():
    size, read = CHUNKED_BYTES + MIB, []

    def zeros(offset: int, length: int) -> bytes:
        read.append(length)
        return bytes(length)

    found: FileCut = cut_file("huge.h5", zeros, size)
    assert_covers(found, size)
    assert sum(read) < 1000


def test_what_the_source_raises_is_passed_on():
    content = noise(4, 9 * MIB)

    def read(offset: int, length: int) -> bytes:
        if offset >= 4 * MIB:
            raise SourceUnstable("it is gone", where="here", hint="stop writing")
        return reader(content)(offset, length)

    with pytest.raises(SourceUnstable):
        cut_file("blob", read, len(content))

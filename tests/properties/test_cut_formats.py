"""For bytes that begin like a format, and damage to real files: the cut is exact, repeatable and refuses nothing."""

from __future__ import annotations

import io
import tarfile
import zipfile
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.sources.base import FileCut
from dr_lib.sources.cut import FRAME_BYTES, cut_file
from dr_lib.sources.cutting import gguf, npy, parquet, tar_archive, zip_archive
from dr_lib.sources.cutting.members import Member, marks
from dr_lib.sources.cutting.spans import OddBytes, between
from tests.unit.sources.cutting.contents import KIB, MIB, assert_covers, cut, noise, reader
from tests.unit.sources.cutting.gguf_files import Tensor, array, entry, gguf_file, text

CUTTERS = {
    "zip": zip_archive.cut,
    "tar": tar_archive.cut,
    "gguf": gguf.cut,
    "parquet": parquet.cut,
    "npy": npy.cut,
}


def _zip() -> bytes:
    target = io.BytesIO()
    torch.save({"w": torch.arange(300_000), **{str(n): torch.ones(n) for n in range(9)}}, target)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("note", b"deflated " * 99)
    return target.getvalue()


def _tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as writer:
        for number, length in enumerate([5, 2 * MIB, 0, 600, 40_000]):
            info = tarfile.TarInfo(f"größe {number}" * 20)
            info.size = length
            writer.addfile(info, io.BytesIO(noise(number, length)))
    return target.getvalue()


def _gguf() -> bytes:
    tensors = [Tensor("a", 0, (5, 7), noise(1, 140)), Tensor("b", 12, (256, 9000), noise(2, 9000 * 144))]
    return gguf_file(tensors, [entry("tokens", 9, array(8, [text("x")] * 9)), entry("k", 4, b"abcd")])


def _parquet() -> bytes:
    target = io.BytesIO()
    columns = {f"c{n}": np.random.default_rng(n).standard_normal(60_000) for n in range(4)}
    pq.write_table(pa.table({**columns, "text": ["a", "b"] * 30_000}), target, row_group_size=20_000)
    return target.getvalue()


def _npy() -> bytes:
    target = io.BytesIO()
    np.save(target, np.arange(300_000).reshape(3, -1))
    return target.getvalue()


@cache
def real_file(name: str) -> bytes:
    content = {"zip": _zip, "tar": _tar, "gguf": _gguf, "parquet": _parquet, "npy": _npy}[name]()
    assert len(content) > MIB
    return content


def places(name: str, size: int) -> st.SearchStrategy[int]:
    """Offsets where the structure is: mostly not within the contents."""
    near_end = {"zip": 4 * KIB, "parquet": 6 * KIB}.get(name, KIB)
    return st.integers(0, 2 * KIB) | st.integers(size - near_end, size - 1) | st.integers(0, size - 1)


FIELDS = st.sampled_from(
    [b"\0", b"\xff" * 4, b"\xff" * 8, b"\x80" + b"\xff" * 11, b"\0\0\0\x80", b"7" * 11]
) | st.binary(min_size=1, max_size=8)


@pytest.mark.parametrize("name", CUTTERS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_covered_and_cut_alike_twice(name, data):
    content = bytearray(real_file(name))
    for _ in range(data.draw(st.integers(1, 4))):
        at, field = data.draw(places(name, len(content))), data.draw(FIELDS)
        content[at : at + len(field)] = field
    if data.draw(st.booleans()):
        at = data.draw(places(name, len(content)))
        content[at : at + data.draw(st.integers(0, 600))] = data.draw(st.binary(max_size=64))
    assert cut(bytes(content)) == cut(bytes(content))


@pytest.mark.parametrize("name", CUTTERS)
@settings(deadline=None, max_examples=60)
@given(rest=st.binary(max_size=600), start=st.integers(0, 400))
def test_bytes_that_go_on_in_another_way_are_refused_in_one_way(name, rest, start):
    content = real_file(name)[:start] + rest
    content += b"\0" * max(0, 16 - len(content))
    try:
        found = CUTTERS[name](reader(content), len(content))
    except OddBytes:
        return
    assert_covers(found, len(content))


@pytest.mark.parametrize("name", CUTTERS)
def test_the_real_files_are_cut_by_their_format(name):
    content = real_file(name)
    assert cut(content) == CUTTERS[name](reader(content), len(content))


@pytest.mark.parametrize("name", CUTTERS)
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_a_truncated_file_is_covered(name, data):
    content = real_file(name)
    cut(content[: data.draw(places(name, len(content)))])


@given(st.lists(st.integers(-9, 12 * MIB)), st.integers(0, 12 * MIB))
def test_any_marks_make_an_exact_cut(any_marks, size):
    found = FileCut(between(any_marks, size), ())
    assert_covers(found, size)
    assert all(span.length <= FRAME_BYTES for span in found.spans)


members = st.lists(st.tuples(st.integers(0, 3 * MIB), st.binary(min_size=4, max_size=4)), max_size=60)


def laid_out(facts: list[tuple[int, bytes]], start: int = 0) -> list[Member]:
    found = []
    for length, key in facts:
        end = start + 512 + length
        found.append(Member(start, end, key, (start + 512, end) if length >= MIB else None))
        start = end
    return found


@given(members)
def test_marks_ascend_and_never_part_a_short_member(facts):
    laid = laid_out(facts)
    found = list(marks(laid))
    assert found == sorted(found)
    allowed = {m.start for m in laid} | {edge for m in laid if m.body for edge in m.body}
    assert set(found) <= allowed
    assert all({*m.body} <= set(found) for m in laid if m.body)


@given(members, members)
def test_after_a_long_member_bundles_do_not_depend_on_what_stood_before(left, right):
    tail = [(2 * MIB, b"long"), *right]
    cuts = []
    for facts in (tail, [*left, *tail]):
        laid = laid_out(facts)
        base = laid[-len(tail)].end
        cuts.append([mark - base for mark in marks(laid) if mark >= base])
    assert cuts[0] == cuts[1]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 9 * MIB), st.integers(0, 255))
def test_opaque_bytes_of_any_size_are_covered(size, value):
    content = noise(value, min(size, MIB)).ljust(size, bytes([value]))
    assert_covers(cut_file("any", reader(content), size), size)

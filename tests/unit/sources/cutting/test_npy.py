"""`.npy` files are cut into their header and whole elements."""

from __future__ import annotations

import io

import numpy as np
import pytest

from dr_lib.sources.base import Span
from tests.unit.sources.cutting.contents import KIB, MIB, assert_opaque, cut, new_bytes, noise


def saved(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    target = io.BytesIO()
    np.lib.format.write_array(target, array, version)
    return target.getvalue()


def numbers(kind: str, length: int = 5 * MIB) -> np.ndarray:
    return np.frombuffer(noise(1, length), "u1").view(kind)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("<f4", "F32"), ("<f2", "F16"), ("<f8", "F64"), ("<i8", "I64"), ("<u2", "U16"), ("i1", "I8"), ("u1", "U8")],
)
def test_the_header_is_a_frame_and_elements_are_frames_of_their_dtype(kind, dtype):
    content = saved(numbers(kind))
    start = len(content) - 5 * MIB
    assert cut(content).spans == (
        Span(0, start, None),
        Span(start, 4 * MIB, dtype),
        Span(start + 4 * MIB, MIB, dtype),
    )


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("shape", [(-1,), (1024, -1), (1, 2, 4, -1)])
def test_every_version_and_shape_is_read(version, shape):
    assert cut(saved(numbers("<f4").reshape(shape), version)).spans[1].dtype == "F32"


def test_booleans_are_told():
    assert cut(saved(np.ones(2 * MIB, bool))).spans[1].dtype == "BOOL"


def test_appended_rows_are_stored_and_little_else():
    rows = numbers("<f4", 12 * MIB).reshape(-1, 1024)
    assert new_bytes(saved(rows), saved(rows[:2048])) < 4 * MIB + 4 * KIB


@pytest.mark.parametrize("kind", [">f4", "<c8", "S16", "<M8[s]", [("a", "<f4"), ("b", "<i4")]])
def test_what_no_codec_knows_is_opaque(kind):
    assert_opaque(saved(numbers("u1").view(kind)))


def test_objects_are_opaque_and_never_unpickled():
    target = io.BytesIO()
    np.save(target, np.array([noise(1, 2 * MIB), None], dtype=object), allow_pickle=True)
    assert_opaque(target.getvalue())


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }\n",
        b"{'descr': __import__('os'), 'fortran_order': False, 'shape': (9,), }\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1" * 60_000 + b",), }\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1" * 19 * 60 + b"x), }\n",
        b"(" * 60_000,
    ],
)
def test_a_header_that_numpy_did_not_write_is_opaque(header):
    assert_opaque(b"\x93NUMPY\2\0" + len(header).to_bytes(4, "little") + header + noise(1, 2 * MIB))


def test_a_header_that_does_not_end_is_opaque():
    assert_opaque(b"\x93NUMPY\2\0\xff\xff\xff\xff" + noise(1, 2 * MIB))
    assert_opaque(b"\x93NUMPY\7\0" + noise(1, 2 * MIB))

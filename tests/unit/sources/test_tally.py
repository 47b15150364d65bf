"""The numbers that a manifest states of a tensor are those that numpy finds in it, however its bytes arrive."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.sources.tally import BLOCK, Tally

KINDS = {"U8": "u1", "I8": "i1", "I16": "<i2", "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}


def tallied(dtype: str, data: bytes, piece: int):
    tally = Tally(dtype)
    for at in range(0, len(data), piece):
        tally.feed(memoryview(data)[at : at + piece])
    return tally.stats()


def widened(data: bytes) -> np.ndarray:
    return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=800), st.sampled_from([*KINDS, "BF16"]), st.integers(1, 9))
def test_any_bytes_as_numpy_counts_them(data, dtype, pieces):
    data = data[: len(data) // 8 * 8]
    numbers = widened(data) if dtype == "BF16" else np.frombuffer(data, KINDS[dtype])
    found = tallied(dtype, data, 8 * pieces)
    with np.errstate(over="ignore", invalid="ignore"):  # a signalling NaN tells of itself in the cast
        wide = numbers.astype(np.float64)
        kept = wide[np.isfinite(wide)]
        assert (found.nan, found.inf) == (int(np.isnan(wide).sum()), int(np.isinf(wide).sum()))
        assert found.minimum == (kept.min() if kept.size else None)
        assert found.maximum == (kept.max() if kept.size else None)
        norm = float(np.sqrt(np.square(kept).sum()))
        if dtype not in ("F16", "BF16", "F32", "F64"):
            assert found.norm is None
        elif 1e-18 < norm < 1e150:
            assert found.norm == pytest.approx(norm, rel=1e-4)
        if kept.size and math.isfinite(kept.sum()):
            assert found.mean == pytest.approx(kept.mean(), rel=1e-3, abs=np.abs(kept).max() * 1e-5)


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
def test_long_tensors_count_across_blocks(dtype):
    numbers = np.random.default_rng(3).standard_normal(3 * BLOCK + 17, dtype=np.float32)
    numbers[BLOCK + 1], numbers[2 * BLOCK], numbers[-1] = np.nan, np.inf, 9.0
    data = (numbers.view("<u4") >> 16).astype("<u2") if dtype == "BF16" else numbers.astype(KINDS[dtype])
    found = tallied(dtype, data.tobytes(), 1 << 16)
    assert (found.nan, found.inf, found.maximum) == (1, 1, 9.0)
    expected = widened(data.tobytes()) if dtype == "BF16" else data.astype(np.float64)
    assert found.mean == pytest.approx(float(expected[np.isfinite(expected)].mean(dtype=np.float64)), abs=1e-6)


def test_sums_beyond_32_bits_and_beyond_64():
    assert tallied("F32", np.full(100, 3e38, "<f4").tobytes(), 400).mean == pytest.approx(3e38, rel=1e-6)
    assert tallied("F64", np.full(2, 1.7e308).tobytes(), 16).mean == math.inf  # the manifest states none then


def test_a_norm_beyond_32_bits_is_told_and_one_beyond_64_is_not():
    assert tallied("F32", np.full(100, 3e38, "<f4").tobytes(), 400).norm == 3e39
    assert tallied("F64", np.full(2, 1.7e308).tobytes(), 16).norm is None
    assert tallied("F32", b"", 4).norm == 0.0


def test_packed_dtypes_have_no_numbers():
    assert tallied("F8_E4M3", bytes(8), 8) is None

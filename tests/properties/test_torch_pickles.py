"""For any pickle: it is followed or refused in one way, in bounded time, and nothing that it names is touched."""

from __future__ import annotations

import io
import pickle
import zipfile
from functools import cache

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.sources.cutting.spans import OddBytes
from dr_lib.sources.cutting.torch_pickle import Checkpoint, read_checkpoint
from dr_lib.sources.safetensors_header import ITEM_BITS
from tests.unit.sources.cutting.checkpoints import saved


@cache
def real() -> bytes:
    base = torch.ones(6, 4)
    value = {"a": base, "b": base[2:], "n": {"c": torch.ones(3, dtype=torch.float8_e5m2)}, "l": [1, (2, "x"), None]}
    with zipfile.ZipFile(io.BytesIO(saved(value))) as archive:
        return archive.read("archive/data.pkl")


def sound_or_refused(data: bytes) -> None:
    try:
        found = read_checkpoint(data)
    except OddBytes:
        return
    assert isinstance(found, Checkpoint)
    assert set(found.dtypes.values()) <= set(ITEM_BITS)
    for stated in found.tensors.values():
        assert found.dtypes[stated.key] == stated.dtype
        assert stated.offset >= 0
        assert all(extent >= 0 for extent in stated.shape)


def test_the_real_one_is_followed():
    found = read_checkpoint(real())
    assert (found.dtypes, set(found.tensors)) == ({"0": "F32", "1": "F8_E5M2"}, {"a", "b"})
    assert found.tensors["b"].offset == 8


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data):
    sound_or_refused(data)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=3)), min_size=1, max_size=5))
def test_a_damaged_pickle(changes):
    data = bytearray(real())
    for at, part in changes:
        start = at % len(data)
        data[start : start + len(part)] = part
    sound_or_refused(bytes(data))


@settings(deadline=None)
@given(st.lists(st.sampled_from([bytes([code]) for code in b"(.012NK}]tRQ\x85\x86\x87\x88\x89\x8f\x90\x91\x94des)l"])))
def test_any_opcodes(codes):
    sound_or_refused(b"\x80\x02" + b"".join(codes) + b".")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@settings(deadline=None)
@given(plain, st.integers(0, 5))
def test_whatever_plain_values_python_pickles_are_followed(value, protocol):
    assert read_checkpoint(pickle.dumps(value, protocol)) == Checkpoint()

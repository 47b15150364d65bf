"""Codecs: bytes come back whatever they are, and hostile ones are refused in one way, within bounds."""

import contextlib
import tracemalloc

import numpy as np
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dr_lib.codecs import registry
from dr_lib.codecs.bytewise import Repeat
from dr_lib.codecs.layouts import LAYOUTS, Turn
from dr_lib.codecs.palette import Palette
from dr_lib.codecs.planes import BLOCK, Planes
from dr_lib.errors import IntegrityError

quick = settings(max_examples=60, deadline=None)
ALL = [registry.RAW, registry.ZSTD]
ALL += [codec for w in (2, 4, 8) for codec in (Repeat(w), *(Planes(w, turn) for turn in Turn), Palette(w))]
dtypes = st.sampled_from([None, "BOOL", "U8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "nonsense", *LAYOUTS])
contents = (
    st.binary(max_size=400)
    | st.builds(lambda part, times: part * times, st.binary(max_size=9), st.integers(0, 300))
    | st.builds(
        lambda seed, values, count: np.random.default_rng(seed).integers(0, values, count).astype("<f4").tobytes(),
        st.integers(0, 99),
        st.integers(1, 1000),
        st.integers(0, 2000),
    )
)


@quick
@given(contents, dtypes)
@example(b"", "BF16")
@example(b"\x00", "F64")
@example(bytes(100_000), None)
@example(bytes(BLOCK * 2 + 1), "F16")
def test_the_smallest_encoding_comes_back(raw, dtype):
    codec, encoded = registry.encode_smallest(raw, dtype)
    assert len(encoded) <= len(raw)
    assert registry.by_id(codec).decode(encoded, len(raw)) == raw


@quick
@given(contents)
def test_each_codec_comes_back(raw):
    for codec in ALL:
        encoded = codec.encode(raw)
        if encoded is not None:
            assert registry.by_id(codec.id).decode(encoded, len(raw)) == raw


@quick
@given(contents, st.integers(-9, 9).filter(bool))
def test_another_length_than_the_encoded_one_is_refused(raw, more):
    for codec in (c for c in ALL if not isinstance(c, Repeat)):
        encoded = codec.encode(raw)
        if encoded is not None and len(raw) + more >= 0:
            with contextlib.suppress(IntegrityError):
                wrong = codec.decode(encoded, len(raw) + more)
                # A plane that is stored as it is has no length of its own: only the frame's digest tells then.
                assert codec.id == 4
                assert len(wrong) == len(raw) + more


@quick
@given(st.binary(max_size=200), st.integers(0, 1 << 20))
def test_arbitrary_bytes_decode_to_the_promised_length_or_are_refused(data, length):
    for codec in ALL:
        with contextlib.suppress(IntegrityError):
            assert len(codec.decode(data, length)) == length


@quick
@given(contents, st.data())
def test_damaged_frames_decode_to_the_promised_length_or_are_refused(raw, data):
    for codec in ALL:
        damaged = bytearray(codec.encode(raw) or b"")
        for _ in range(data.draw(st.integers(1, 3)) if damaged else 0):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(IntegrityError):
            assert len(codec.decode(bytes(damaged), len(raw))) == len(raw)


def test_a_bomb_that_promises_little_is_not_blown_up():
    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    assert len(bomb) < 1 << 15
    with pytest.raises(IntegrityError, match="another length"):
        registry.ZSTD.decode(bomb, 100)
    in_a_plane = b"\x02\x00" + len(bomb).to_bytes(4, "little") + (50).to_bytes(4, "little") + bomb + bytes(50)
    in_a_palette = b"\x02\x00" + bytes(2) + bomb
    for codec, frame in ((Planes(), in_a_plane), (Palette(), in_a_palette)):
        with pytest.raises(IntegrityError, match="another length"):
            codec.decode(frame, 100)


def test_what_follows_a_frame_is_not_overlooked():
    for codec in (registry.ZSTD, Planes(2), Planes(8)):
        with pytest.raises(IntegrityError):
            codec.decode(codec.encode(b"abcd" * 9) + b"x", 36)


@pytest.mark.parametrize("codec", [Repeat(2), Planes(2, Turn.ROTATED), Planes(8), Palette(2), Palette(4)])
def test_decoding_needs_at_most_four_times_the_promised_bytes(codec):
    raw = bytes(8 << 20)
    encoded = codec.encode(raw)
    tracemalloc.start()
    try:
        assert len(codec.decode(encoded, len(raw))) == len(raw)
        assert tracemalloc.get_traced_memory()[1] <= 4 * len(raw)
    finally:
        tracemalloc.stop()

"""Which encoding a frame gets, and that the ones that were ever written stay readable."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from dr_lib.codecs import registry
from dr_lib.codecs.bytewise import Raw
from dr_lib.errors import DrError, IntegrityError

COUNT = 200_000
random = np.random.default_rng(7)
WEIGHTS = random.standard_normal(COUNT).astype("<f4") * np.float32(0.02)
BF16 = (WEIGHTS.view("<u4") >> 16).astype("<u2").tobytes()


def share(raw: bytes, dtype: str | None) -> tuple[str, float]:
    codec, stored = registry.encode_smallest(raw, dtype)
    assert registry.by_id(codec).decode(stored, len(raw)) == raw
    return registry.by_id(codec).name, len(stored) / len(raw)


@pytest.mark.parametrize(
    ("raw", "dtype", "at_most"),
    [
        (BF16, "BF16", 0.68),
        (WEIGHTS.astype("<f2").tobytes(), "F16", 0.87),
        (WEIGHTS.tobytes(), "F32", 0.85),
        (WEIGHTS.astype("<f8").tobytes(), "F64", 0.50),
        (random.integers(0, 30_000, COUNT).astype("<i8").tobytes(), "I64", 0.25),
    ],
    ids=["BF16", "F16", "F32", "F64", "I64"],
)
def test_numbers_are_taken_apart(raw, dtype, at_most):
    name, ratio = share(raw, dtype)
    assert name == "planes"
    assert ratio <= at_most
    assert ratio < share(raw, None)[1]


@pytest.mark.parametrize(("dtype", "at_most"), [("<i2", 0.45), ("<i4", 0.24), ("<i8", 0.12)])
def test_integers_around_zero_cost_what_their_size_says(dtype, at_most):
    numbers = np.rint(random.standard_normal(COUNT) * 30).astype(dtype)
    numbers[:3] = np.iinfo(numbers.dtype).min, np.iinfo(numbers.dtype).max, -1
    name, ratio = share(numbers.tobytes(), f"I{numbers.itemsize * 8}")
    assert name == "planes"
    assert ratio <= at_most
    assert ratio < 0.8 * share(numbers.tobytes(), None)[1]


def test_few_values_are_stored_once_and_pointed_at():
    name, ratio = share(random.choice(WEIGHTS[:16], COUNT).tobytes(), "F32")
    assert (name, ratio < 0.13) == ("palette", True)


@pytest.mark.parametrize(("raw", "dtype"), [(bytes(1 << 20), None), (WEIGHTS[:1].tobytes() * 9999, "F32")])
def test_constants_cost_an_element(raw, dtype):
    codec, stored = registry.encode_smallest(raw, dtype)
    assert (registry.by_id(codec).name, stored) == ("repeat", raw[: len(stored)])
    assert len(stored) <= 4


def test_eight_bit_floats_and_text_are_zstd_frames():
    assert share((np.frombuffer(BF16, "<u2") >> 8).astype(np.uint8).tobytes(), "F8_E5M2")[0] == "zstd"
    name, ratio = share(b"".join(b"token %d\n" % n for n in range(30_000)), None)
    assert (name, ratio < 0.4) == ("zstd", True)


@pytest.mark.parametrize("dtype", [None, "F32", "BF16", "U8"])
def test_noise_and_what_is_tiny_stay_raw(dtype):
    for raw in (random.bytes(500_000), b"", b"a", b"abc", random.bytes(24)):
        codec, stored = registry.encode_smallest(raw, dtype)
        assert (codec, stored) == (registry.RAW.id, raw)


def test_long_noise_does_not_hide_what_shrinks_between():
    raw = random.bytes(200_000) + bytes(300_000) + random.bytes(600_000)
    assert share(raw, "BF16")[1] < 0.75


def test_every_bit_of_odd_numbers_survives():
    odd = np.array([0x7FC1, 0xFFFF, 0x7F80, 0xFF80, 0x8000, 0x0001, 0x807F, 0x7FA0], "<u2")
    raw = random.choice(odd, 50_000).tobytes() + BF16 + b"\xff"
    assert share(raw, "BF16")[0] == "planes"


def test_threads_may_share_the_codecs():
    parts = [BF16[at : at + 50_000] for at in range(0, len(BF16), 50_000)]
    alone = [registry.encode_smallest(part, "BF16") for part in parts]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda part: registry.encode_smallest(part, "BF16"), parts)) == alone


@dataclass(frozen=True)
class Forgetful(Raw):
    """Gives back other bytes than it was given."""

    id = 99
    name = "forgetful"

    def encode(self, raw: bytes) -> bytes:
        return raw[:9]

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        return bytes(raw_length)


def test_an_encoding_that_does_not_come_back_never_counts(monkeypatch):
    monkeypatch.setattr(registry, "candidates", lambda _dtype: (Forgetful(),))
    with pytest.raises(DrError, match="forgetful did not give back"):
        registry.encode_smallest(b"weights" * 99)


def test_ids_never_change():
    names = ["raw", "zstd", "repeat", "planes", "palette"]
    assert [registry.by_id(number).name for number in range(len(names))] == names
    with pytest.raises(IntegrityError, match="unknown codec"):
        registry.by_id(len(names))

"""Laws of sealing: what was sealed comes back; with a bit of it, of its number or of its bond changed, nothing does."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.crypto import sealing
from dr_lib.crypto.sealing import KEY_BYTES, SALT_BYTES, TAG_BYTES, derive, seal, unseal
from dr_lib.errors import IntegrityError

PURPOSES = (sealing.PACK, sealing.TABLE, sealing.BODY, sealing.RECORD)
NONCE_BITS = 96
keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
numbers = st.integers(0, (1 << NONCE_BITS) - 1) | st.integers(0, 1 << 40)
contents, bonds = st.binary(max_size=300), st.binary(max_size=40)


def turned(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(keys, numbers, contents, bonds)
def test_what_was_sealed_comes_back(key, number, data, bound):
    sealed = seal(key, number, data, bound)
    assert len(sealed) == len(data) + TAG_BYTES
    assert unseal(key, number, sealed, bound) == data
    assert unseal(key, number, memoryview(sealed), bound) == data
    assert seal(key, number, memoryview(data), bound) == sealed


@settings(max_examples=25, deadline=None)
@given(keys, numbers, st.binary(max_size=12), st.binary(max_size=12))
def test_every_single_bit_of_bytes_number_bond_and_key_counts(key, number, data, bound):
    sealed = seal(key, number, data, bound)
    attempts = [(key, number, turned(sealed, bit), bound) for bit in range(8 * len(sealed))]
    attempts += [(key, number ^ 1 << bit, sealed, bound) for bit in range(NONCE_BITS)]
    attempts += [(key, number, sealed, turned(bound, bit)) for bit in range(8 * len(bound))]
    attempts += [(turned(key, bit), number, sealed, bound) for bit in range(8 * KEY_BYTES)]
    for attempt in attempts:
        with pytest.raises(IntegrityError):
            unseal(*attempt)


@given(keys, contents, bonds, st.data())
def test_what_is_cut_short_or_runs_on_is_refused(key, data, bound, draw):
    sealed = seal(key, 0, data, bound)
    for odd in (sealed[: draw.draw(st.integers(0, len(sealed) - 1))], sealed + b"\0", b"\0" + sealed):
        with pytest.raises(IntegrityError):
            unseal(key, 0, odd, bound)
    for moved in (bound + b"\0", b"\0" + bound):
        with pytest.raises(IntegrityError):
            unseal(key, 0, sealed, moved)


@pytest.mark.parametrize("number", [-1, 1 << NONCE_BITS, 1 << 200])
def test_a_number_that_no_nonce_can_hold_is_damage_to_readers_and_a_defect_to_writers(number):
    with pytest.raises(IntegrityError):
        unseal(bytes(KEY_BYTES), number, bytes(40), b"")
    with pytest.raises(OverflowError):
        seal(bytes(KEY_BYTES), number, b"", b"")


@given(keys, contents)
def test_it_is_plain_aes_256_gcm(key, data):
    """What FORMAT.md promises to whoever writes a reader: the number is the nonce, big-endian."""
    assert AESGCM(key).decrypt((77).to_bytes(12, "big"), seal(key, 77, data, b"bound"), b"bound") == data


@given(keys, st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES))
def test_derived_keys_differ_by_key_salt_and_purpose(key, salt):
    derived = {derive(key, salt, purpose) for purpose in PURPOSES}
    derived |= {derive(turned(key, 0), salt, sealing.PACK), derive(key, turned(salt, 0), sealing.PACK), key}
    derived |= {sealing.check_value(key) + bytes(16)}
    assert {len(one) for one in derived} == {KEY_BYTES}
    assert len(derived) == len(PURPOSES) + 4


def test_derivation_is_rfc_5869():
    """Test case 1 of the RFC has an info of bytes that are no text; this is its case 3: no salt, no info."""
    first_32_bytes = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert derive(b"\x0b" * 22, b"", "").hex() == first_32_bytes


def test_a_check_value_tells_one_key_from_another():
    key = sealing.new_key()
    assert sealing.check_value(key) == sealing.check_value(bytes(key))
    assert sealing.check_value(key) != sealing.check_value(sealing.new_key())
    assert not sealing.derive(key, b"", sealing.PACK).startswith(sealing.check_value(key))


def test_random_keys_and_salts_are_new_each_time():
    assert len({sealing.new_key() for _ in range(100)} | {sealing.new_salt() for _ in range(100)}) == 200

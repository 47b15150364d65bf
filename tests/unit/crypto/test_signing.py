"""Signatures that generic DSSE tools check, over exactly what was signed, by exactly those who are trusted."""

from __future__ import annotations

import base64
import copy
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from dr_lib.crypto import signing
from dr_lib.errors import IntegrityError

KIND = "application/vnd.dr.point+json"
OURS, OTHER = signing.signer(signing.new_signing_key()), signing.signer(signing.new_signing_key())
texts = st.text(max_size=30)


def raw(public: str) -> bytes:
    return base64.b64decode(public.removeprefix(signing.PUBLIC_PREFIX))


def generic_key(public: str) -> SSlibKey:
    return SSlibKey(signing.key_id(public), "ed25519", "ed25519", {"public": raw(public).hex()})


@given(texts, st.binary(max_size=300))
def test_a_signed_payload_comes_back(kind, payload):
    signed = json.loads(json.dumps(signing.envelope(kind, payload, OURS)))
    for trusted in ([OURS.public], [OTHER.public, OURS.public], []):
        assert signing.payload_of(signed, kind, trusted) == payload
    with pytest.raises(IntegrityError, match="nobody who is trusted"):
        signing.payload_of(signed, kind, [OTHER.public])


def test_what_is_unsigned_is_read_only_where_nobody_is_trusted():
    unsigned = signing.envelope(KIND, b"payload", None)
    assert signing.payload_of(unsigned, KIND, []) == b"payload"
    with pytest.raises(IntegrityError, match="not signed"):
        signing.payload_of(unsigned, KIND, [OURS.public])


@settings(max_examples=60)
@given(st.binary(min_size=1, max_size=40), st.data())
def test_no_turned_bit_of_payload_kind_or_signature_passes(payload, data):
    signed = signing.envelope(KIND, payload, OURS)
    signature = base64.b64decode(signed["signatures"][0]["sig"])
    for part, content in (("payload", payload), ("sig", signature)):
        damaged = copy.deepcopy(signed)
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        turned = bytearray(content)
        turned[bit // 8] ^= 1 << bit % 8
        (damaged if part == "payload" else damaged["signatures"][0])[part] = base64.b64encode(turned).decode()
        with pytest.raises(IntegrityError):
            signing.payload_of(damaged, KIND, [OURS.public])


def test_a_signature_of_one_kind_is_none_of_another():
    signed = signing.envelope(KIND, b"payload", OURS)
    with pytest.raises(IntegrityError, match="another kind"):
        signing.payload_of(signed, "application/other", [OURS.public])
    with pytest.raises(IntegrityError, match="nobody who is trusted"):
        signing.payload_of({**signed, "payloadType": "application/other"}, "application/other", [OURS.public])


def test_lengths_are_signed_so_that_nothing_moves_between_kind_and_payload():
    signed = signing.envelope("kind a", b"b", OURS)
    moved = {**signed, "payloadType": "kind", "payload": base64.b64encode(b"a 1 b").decode()}
    with pytest.raises(IntegrityError):
        signing.payload_of(moved, "kind", [OURS.public])


@pytest.mark.parametrize(
    "odd",
    [
        {},
        [],
        None,
        {"payload": 5, "payloadType": KIND, "signatures": []},
        {"payload": "no base64!", "payloadType": KIND, "signatures": []},
        {"payload": "é", "payloadType": KIND, "signatures": []},
        {"payload": "", "payloadType": KIND, "signatures": None},
        {"payload": "", "payloadType": KIND, "signatures": ["x"]},
        {"payload": "", "payloadType": KIND, "signatures": [{"sig": None}]},
        {"payload": "", "payloadType": KIND, "signatures": [{"sig": ""}]},
        {"payload": "", "payloadType": KIND, "signatures": [{"sig": "AAAA"}]},
    ],
)
def test_what_is_no_envelope_is_refused_as_damage(odd):
    with pytest.raises(IntegrityError):
        signing.payload_of(odd, KIND, [OURS.public])


def test_a_trusted_key_that_is_no_point_of_the_curve_signs_nothing():
    public = signing.PUBLIC_PREFIX + base64.b64encode(b"\xff" * 32).decode()
    assert signing.is_public_key(public)
    with pytest.raises(IntegrityError, match="nobody who is trusted"):
        signing.payload_of(signing.envelope(KIND, b"payload", OURS), KIND, [public, "ed25519:nonsense", ""])


@given(texts, st.binary(max_size=300))
def test_securesystemslib_verifies_what_we_sign(kind, payload):
    generic = Envelope.from_dict(signing.envelope(kind, payload, OURS))
    assert (generic.payload_type, generic.payload) == (kind, payload)
    assert list(generic.verify([generic_key(OURS.public)], 1)) == [signing.key_id(OURS.public)]
    with pytest.raises(VerificationError):
        generic.verify([generic_key(OTHER.public)], 1)


@given(texts, st.binary(max_size=300))
def test_we_verify_what_securesystemslib_signs(kind, payload):
    generic = CryptoSigner(Ed25519PrivateKey.generate())
    made = Envelope(payload, kind, {})
    made.sign(generic)
    public = signing.PUBLIC_PREFIX + base64.b64encode(bytes.fromhex(generic.public_key.keyval["public"])).decode()
    assert signing.payload_of(made.to_dict(), kind, [public]) == payload
    with pytest.raises(IntegrityError):
        signing.payload_of(made.to_dict(), kind, [OURS.public])


def test_a_secret_key_makes_the_same_signer_each_time():
    secret = signing.new_signing_key()
    again = signing.signer(secret)
    assert again.public == signing.signer(secret).public
    assert signing.is_public_key(again.public)
    assert secret != signing.new_signing_key()


@pytest.mark.parametrize("spoil", [lambda s: s[:-8], lambda s: s.removeprefix(signing.SEED_PREFIX), lambda s: s + "*"])
def test_what_is_no_secret_key_is_not_repeated(spoil):
    secret = signing.new_signing_key()
    with pytest.raises(ValueError) as caught:
        signing.signer(spoil(secret))
    assert secret[len(signing.SEED_PREFIX) :][:12] not in f"{caught.value!r}{caught.value.__context__!r}"


def test_public_keys_are_told_from_everything_else():
    assert not any(map(signing.is_public_key, ("", signing.PUBLIC_PREFIX, OURS.public[:-4], signing.new_signing_key())))

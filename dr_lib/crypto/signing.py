"""Ed25519 signatures in DSSE envelopes (https://github.com/secure-systems-lab/dsse), as generic tools check them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dr_lib.errors import IntegrityError

SEED_PREFIX: Final = "dr-signer:"
PUBLIC_PREFIX: Final = "ed25519:"
SIGNATURE_BYTES: Final = 64
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Signer:
    """A signing key. `public` is what readers pin."""

    public: str
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """64 bytes over exactly this message."""
        return self._private.sign(message)


def new_signing_key() -> str:
    """A fresh secret key as text."""
    return SEED_PREFIX + base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode()


def signer(secret: str) -> Signer:
    """The signer of a secret key; `ValueError`, which repeats nothing of it, for what is none."""
    seed = _raw(secret, SEED_PREFIX)
    if seed is None:
        raise ValueError(f"this is no signing key ({SEED_PREFIX}…)")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return Signer(PUBLIC_PREFIX + base64.b64encode(public).decode(), private)


def is_public_key(text: str) -> bool:
    """Whether a text is a public key as `Signer.public` gives it."""
    return _raw(text, PUBLIC_PREFIX) is not None


def key_id(public: str) -> str:
    """Name of a public key in envelopes: the start of its SHA-256."""
    return hashlib.sha256(_raw(public, PUBLIC_PREFIX) or b"").hexdigest()[:16]


def envelope(payload_type: str, payload: bytes, by: Signer | None) -> dict[str, Any]:
    """A DSSE envelope as JSON values; `signatures` is empty without a signer."""
    signatures = []
    if by is not None:
        signature = base64.b64encode(by.sign(encoding(payload_type, payload))).decode()
        signatures.append({"keyid": key_id(by.public), "sig": signature})
    return {"payload": base64.b64encode(payload).decode(), "payloadType": payload_type, "signatures": signatures}


def payload_of(envelope: dict[str, Any], payload_type: str, trusted: Sequence[str]) -> bytes:
    """The payload of an envelope that one of the `trusted` keys signed.

    Without trusted keys any envelope will do. Raises `IntegrityError` for another type, for no signature of a trusted
    key, and for what is no envelope.
    """
    try:
        found, payload = envelope["payloadType"], base64.b64decode(envelope["payload"], validate=True)
        offered = [base64.b64decode(item["sig"], validate=True) for item in envelope["signatures"]]
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"not an envelope of this format: {error!r}") from error
    if found != payload_type:
        raise IntegrityError(f"an envelope of another kind: {found!r}")
    if trusted and not is_signed(encoding(payload_type, payload), offered, trusted):
        what = "it is signed by nobody who is trusted" if offered else "it is not signed, and signers are known"
        raise IntegrityError(what, hint="it was forged or replaced; use another region's copy")
    return payload


def signers_of(envelope: dict[str, Any], trusted: Sequence[str]) -> list[str]:
    """Which of the `trusted` keys signed an envelope that `payload_of` accepts."""
    message = encoding(envelope["payloadType"], base64.b64decode(envelope["payload"]))
    offered = [base64.b64decode(item["sig"]) for item in envelope["signatures"]]
    return [public for public in trusted if is_signed(message, offered, [public])]


def is_exact(envelope: dict[str, Any], signers: Sequence[str]) -> bool:
    """Whether an envelope signed by these keys is what `envelope` makes of it: nothing beside what they signed, no
    other spelling of the same bytes, and each signature under its own key's name."""
    payload = base64.b64decode(envelope["payload"])
    sigs = [{"keyid": item.get("keyid"), "sig": _respelled(item["sig"])} for item in envelope["signatures"]]
    exact = {"payload": base64.b64encode(payload).decode(), "payloadType": envelope["payloadType"], "signatures": sigs}
    return envelope == exact and {sig["keyid"] for sig in sigs} == {key_id(public) for public in signers}


def _respelled(text: str) -> str:
    return base64.b64encode(base64.b64decode(text)).decode()


def is_signed(message: bytes, offered: Sequence[bytes], trusted: Sequence[str]) -> bool:
    """Whether one of the signatures is one of the trusted keys' over exactly this message."""
    return any(_verifies(public, message, signature) for public in trusted for signature in offered)


def _verifies(public: str, message: bytes, signature: bytes) -> bool:
    raw = _raw(public, PUBLIC_PREFIX)
    if raw is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def encoding(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed of a payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _raw(text: str, prefix: str) -> bytes | None:
    if not text.startswith(prefix):
        return None
    try:
        raw = base64.b64decode(text.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _SEED_BYTES else None

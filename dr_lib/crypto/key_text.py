"""The three secrets that a person keeps, as text, as 32 bytes, and as the public part that tells which one it is."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dr_lib.crypto import age, bech32, sealing, signing
from dr_lib.crypto.keyset import WRITER_PREFIX, writer_key

IDENTITY_PREFIX: Final = "AGE-SECRET-KEY-"
CHECK_PREFIX: Final = "check:"


class Kind(StrEnum):
    """What a secret is for."""

    IDENTITY = "age identity"
    WRITER = "writer key"
    SIGNER = "signing key"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A secret. `public` may be shown: the recipient, the public key, or a check value of a writer key."""

    kind: Kind
    public: str
    text: str = field(repr=False)
    raw: bytes = field(repr=False)


def parse(text: str) -> SecretKey:
    """The secret in a text; `ValueError`, which repeats nothing of it, for what is none."""
    if text.upper().startswith(IDENTITY_PREFIX):
        public = age.recipient_of(text)
        return SecretKey(Kind.IDENTITY, public, text, bech32.decode(text)[1])
    if text.startswith(WRITER_PREFIX):
        key = writer_key(text)
        return SecretKey(Kind.WRITER, CHECK_PREFIX + sealing.check_value(key).hex(), text, key)
    public = signing.signer(text).public if text.startswith(signing.SEED_PREFIX) else ""
    if not public:
        raise ValueError(f"this is no secret key ({IDENTITY_PREFIX}1…, {WRITER_PREFIX}… or {signing.SEED_PREFIX}…)")
    return SecretKey(Kind.SIGNER, public, text, base64.b64decode(text.removeprefix(signing.SEED_PREFIX)))


def from_raw(kind: Kind, raw: bytes) -> SecretKey:
    """The secret whose 32 bytes are `raw`."""
    if kind is Kind.IDENTITY:
        return parse(bech32.encode(IDENTITY_PREFIX.lower(), raw).upper())
    prefix = WRITER_PREFIX if kind is Kind.WRITER else signing.SEED_PREFIX
    return parse(prefix + base64.b64encode(raw).decode())


def in_file(content: str) -> SecretKey:
    """The one secret in a key file, whose comments begin with `#`; `ValueError` for none, several or another."""
    lines = [line.strip() for line in content.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if len(found) != 1:
        raise ValueError(f"a key file holds one secret; this one holds {len(found)} lines that are no comments")
    return parse(found[0])


def file_of(key: SecretKey) -> str:
    """A key file as `age` reads it (of an identity), or the secret alone."""
    comment = f"# public key: {key.public}\n" if key.kind is Kind.IDENTITY else ""
    return f"{comment}{key.text}\n"

"""AES-256-GCM under keys that are derived once and used for one object each. docs/adr/0009 says why so.

A nonce is a number that occurs once under its key: a frame's offset in its pack, 0 for what is sealed in one piece.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dr_lib.errors import IntegrityError

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
TAG_BYTES: Final = 16
"""Bytes that sealing adds."""
_CHECK_BYTES: Final = 16
_NONCE_BYTES: Final = 12

PACK: Final = "dr/1 pack"
TABLE: Final = "dr/1 table"
BODY: Final = "dr/1 body"
RECORD: Final = "dr/1 record"
_CHECK: Final = "dr/1 check"


def new_key() -> bytes:
    """A random key."""
    return secrets.token_bytes(KEY_BYTES)


def new_salt() -> bytes:
    """A random salt; with it a derived key is used for one object alone."""
    return secrets.token_bytes(SALT_BYTES)


def derive(key: bytes, salt: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 (RFC 5869): a key for one purpose and one salt."""
    return HKDF(SHA256(), KEY_BYTES, salt, purpose.encode()).derive(key)


def check_value(key: bytes) -> bytes:
    """16 bytes that tell whether a key is the right one and nothing else about it."""
    return derive(key, b"", _CHECK)[:_CHECK_BYTES]


def cipher(key: bytes) -> AESGCM:
    """What seals and opens many things under one key; any number of threads may share it."""
    return AESGCM(key)


def seal(key: bytes | AESGCM, number: int, data: bytes | memoryview, bound: bytes) -> bytes:
    """`data` sealed, `TAG_BYTES` longer. `number` must be new under this key; `bound` must be known to open it."""
    return _cipher(key).encrypt(_nonce(number), data, bound)


def unseal(key: bytes | AESGCM, number: int, data: bytes | memoryview, bound: bytes) -> bytes:
    """Inverse of `seal`; `IntegrityError` when anything of it is another."""
    try:
        return _cipher(key).decrypt(_nonce(number), data, bound)
    except (InvalidTag, ValueError, OverflowError) as error:  # a hostile offset may be of any size
        raise IntegrityError("sealed bytes were changed, or were sealed under another key") from error


def _cipher(key: bytes | AESGCM) -> AESGCM:
    return AESGCM(key) if isinstance(key, bytes) else key


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")

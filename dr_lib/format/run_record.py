"""What protects the records of a run, which writers believe: sealed in a sealed vault, signed where signers are known.

    clear    one zstd frame, as it is
    sealed   8 bytes magic "DRRUN" 0x00 0x00 0x01, 16 bytes salt, then the zstd frame sealed under the writer key
    signed   8 bytes magic "DRRUN" 0x00 0x00 0x02, 64 bytes Ed25519 signature, then the zstd frame

The record's key is bound to it, so that none can stand in for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dr_lib.crypto import sealing, signing
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import IntegrityError

SEALED: Final = b"DRRUN\x00\x00\x01"
SIGNED: Final = b"DRRUN\x00\x00\x02"


def protect(keys: Keyset, key: str, frame: bytes) -> bytes:
    """Bytes of the object `key` that holds `frame`, as the keys of this process allow."""
    if keys.writer is not None and keys.seals:
        salt = sealing.new_salt()
        secret = sealing.derive(keys.writer, salt, sealing.RECORD)
        return SEALED + salt + sealing.seal(secret, 0, frame, key.encode())
    if keys.signer is not None:
        return SIGNED + keys.signer.sign(_signed(key, frame)) + frame
    return frame


def open_record(keys: Keyset, key: str, stored: bytes, trusted: Sequence[str]) -> bytes:
    """Inverse of `protect`; `IntegrityError` for a record that is protected less than those of this vault are."""
    head, rest = stored[: len(SEALED)], stored[len(SEALED) :]
    if keys.seals:
        if head != SEALED or keys.writer is None:
            raise IntegrityError("a run's record is not sealed, or no writer key is here to open it")
        salt, sealed = rest[: sealing.SALT_BYTES], rest[sealing.SALT_BYTES :]
        return sealing.unseal(sealing.derive(keys.writer, salt, sealing.RECORD), 0, sealed, key.encode())
    if not trusted:
        return rest[signing.SIGNATURE_BYTES :] if head == SIGNED else stored
    signature, frame = rest[: signing.SIGNATURE_BYTES], rest[signing.SIGNATURE_BYTES :]
    if head != SIGNED or not signing.is_signed(_signed(key, frame), [signature], trusted):
        raise IntegrityError("a run's record is signed by nobody who is trusted")
    return frame


def _signed(key: str, frame: bytes) -> bytes:
    return signing.encoding(f"application/vnd.dr.run;{key}", frame)

"""Sealing of single frames: each under its pack's own key, with its offset as the nonce and its facts bound to it."""

from __future__ import annotations

import struct
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dr_lib.crypto import sealing
from dr_lib.errors import IntegrityError
from dr_lib.format.pack import NOT_SEALED, SEALED_HEAD

_BOUND: Final = struct.Struct("<8sQHI")


class FrameFacts(Protocol):
    """What a table or a manifest says of a frame; offset in its pack, lengths in bytes."""

    @property
    def digest(self) -> bytes:
        """BLAKE3-256 of the raw bytes."""
        ...

    @property
    def codec(self) -> int:
        """Id of the codec."""
        ...

    @property
    def seal(self) -> int:
        """Id of the seal."""
        ...

    @property
    def raw(self) -> int:
        """Length after decoding."""
        ...

    @property
    def offset(self) -> int:
        """Where the stored bytes begin."""
        ...

    @property
    def length(self) -> int:
        """Length of the stored bytes."""
        ...


def seal_frame(key: AESGCM | None, offset: int, codec: int, raw: int, encoded: bytes) -> bytes:
    """Stored bytes of a frame that will lie at `offset`; the encoded ones themselves without a pack key."""
    return encoded if key is None else sealing.seal(key, offset, encoded, _bound(offset, codec, raw))


def unseal_frame(key: AESGCM | None, frame: FrameFacts, stored: bytes | memoryview) -> bytes | memoryview:
    """Inverse of `seal_frame`; `IntegrityError` for the wrong key and for anything that was changed."""
    if frame.seal == NOT_SEALED:
        return stored
    if key is None:
        raise IntegrityError("a sealed frame lies in a pack that is not sealed")
    return sealing.unseal(key, frame.offset, stored, _bound(frame.offset, frame.codec, frame.raw))


def _bound(offset: int, codec: int, raw: int) -> bytes:
    return _BOUND.pack(SEALED_HEAD, offset, codec, raw)

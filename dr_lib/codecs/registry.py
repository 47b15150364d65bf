"""The codecs by id, and the choice of the smallest encoding.

Ids are one byte in a pack's frame table: 0 raw, 1 zstd. A new codec takes the next free id; none is ever reused.
"""

from __future__ import annotations

from typing import Final, Protocol

import zstandard

from dr_lib.errors import DrError, IntegrityError

ZSTD_LEVEL: Final = 1
KEEP_ENCODED_BELOW: Final = 0.98
"""An encoding that saves less than 2 % is not worth decoding it at the worst moment: the frame stays raw."""


class Codec(Protocol):
    """One reversible encoding. `decode(encode(x), len(x)) == x` for every `x`."""

    @property
    def id(self) -> int:
        """Number in the frame table."""
        ...

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    def encode(self, raw: bytes) -> bytes:
        """Encoded bytes, possibly longer than `raw`."""
        ...

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """Exactly `raw_length` bytes or `IntegrityError`; never allocates more than that on hostile input."""
        ...


class Raw:
    """Bytes as they are."""

    id = 0
    name = "raw"

    def encode(self, raw: bytes) -> bytes:
        """`raw` itself."""
        return raw

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """`stored` itself, of the promised length."""
        return _exactly(bytes(stored), raw_length)


class Zstd:
    """One Zstandard frame (RFC 8878) with its content size in the header."""

    id = 1
    name = "zstd"

    def encode(self, raw: bytes) -> bytes:
        """One frame at level 1: on weights higher levels cost time and save nothing."""
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(raw)

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """Decoded bytes; the declared content size is checked before anything is allocated."""
        try:
            if zstandard.frame_content_size(stored) != raw_length:
                raise IntegrityError("a zstd frame declares another length than its manifest")
            return _exactly(zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False), raw_length)
        except zstandard.ZstdError as error:
            raise IntegrityError(f"a zstd frame does not decode: {error}") from error


RAW: Final = Raw()
ZSTD: Final = Zstd()
_BY_ID: Final[dict[int, Codec]] = {codec.id: codec for codec in (RAW, ZSTD)}


def by_id(codec_id: int) -> Codec:
    """The codec of that id; `IntegrityError` for one that this version does not know."""
    codec = _BY_ID.get(codec_id)
    if codec is None:
        raise IntegrityError(f"unknown codec id {codec_id}", hint="restore with a newer version of this program")
    return codec


def encode_smallest(raw: bytes) -> tuple[int, bytes]:
    """Smallest proven encoding of `raw` as (codec id, stored bytes).

    The encoding is decoded and compared before it counts, so that a codec's defect is found while the source
    still exists. Raises `DrError` (1) when a codec fails its own round trip.
    """
    encoded = ZSTD.encode(raw)
    if len(encoded) >= len(raw) * KEEP_ENCODED_BELOW:
        return RAW.id, raw
    if ZSTD.decode(encoded, len(raw)) != raw:
        raise DrError("zstd did not give back the bytes it was given", hint="check this machine's memory")
    return ZSTD.id, encoded


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise IntegrityError(f"a frame holds {len(data)} bytes where {length} were promised")
    return data

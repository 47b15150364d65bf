"""Codecs that know nothing of elements: bytes as they are, one Zstandard frame, one pattern over and over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dr_lib.codecs import zstd_frame
from dr_lib.codecs.codec import exactly
from dr_lib.errors import IntegrityError

MAX_PATTERN: Final = 8
SHORT: Final = 4 << 10
"""Bytes below which trying costs more than it saves: thousands of small files are most of a dataset's frames."""


class Raw:
    """Bytes as they are."""

    id = 0
    name = "raw"

    def encode(self, raw: bytes) -> bytes:
        """`raw` itself."""
        return raw

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """`stored` itself, of the promised length."""
        return exactly(bytes(stored), raw_length)


class Zstd:
    """One Zstandard frame (RFC 8878) with its content size in the header."""

    id = 1
    name = "zstd"

    def encode(self, raw: bytes) -> bytes:
        """One frame, its parameters chosen for these bytes; of a short one for text, which it mostly is."""
        return zstd_frame.compress_matching(raw) if len(raw) < SHORT else zstd_frame.compress(raw)

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """Decoded bytes; the declared content size is checked before anything is allocated."""
        return zstd_frame.decompress(stored, raw_length)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A pattern of at most `MAX_PATTERN` bytes, repeated and cut to length: constant tensors, holes, padding."""

    width: int = 1
    """Bytes of the pattern that `encode` looks for."""

    id = 2
    name = "repeat"

    def encode(self, raw: bytes) -> bytes | None:
        """The pattern; None for bytes that do not repeat their first `width`."""
        pattern = raw[: self.width]
        head = raw[: self.width * 32]
        if not raw or head != _fill(pattern, len(head)) or raw != _fill(pattern, len(raw)):
            return None
        return pattern

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """The pattern, `raw_length` bytes of it."""
        if not 1 <= len(stored) <= MAX_PATTERN:
            raise IntegrityError(f"a repeated pattern of {len(stored)} bytes")
        return _fill(bytes(stored), raw_length)


def _fill(pattern: bytes, length: int) -> bytes:
    return (pattern * (length // len(pattern) + 1))[:length]

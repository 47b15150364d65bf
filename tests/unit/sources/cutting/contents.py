"""What the tests of every format ask: how contents are cut, and what a second version would store anew."""

from __future__ import annotations

import random

from blake3 import blake3

from dr_lib.sources.base import FileCut, ReadRange, Span
from dr_lib.sources.cut import FRAME_BYTES, cut_file
from dr_lib.sources.cutting import chunking

KIB, MIB = 1 << 10, 1 << 20


def reader(content: bytes) -> ReadRange:
    return lambda offset, length: content[offset : offset + length]


def cut(content: bytes) -> FileCut:
    found = cut_file("a blob", reader(content), len(content))
    assert_covers(found, len(content))
    return found


def assert_covers(found: FileCut, size: int) -> None:
    position = 0
    for span in found.spans:
        assert span.offset == position
        assert 0 < span.length <= FRAME_BYTES
        position += span.length
    assert position == size


def assert_opaque(content: bytes) -> None:
    """Cut as if nothing was known of its format."""
    assert cut(content) == chunking.cut(reader(content), len(content))


def frames(content: bytes) -> dict[bytes, int]:
    """The distinct frames of a file: digest and length."""
    return {blake3(content[s.offset : s.offset + s.length]).digest(): s.length for s in cut(content).spans}


def new_bytes(content: bytes, *known: bytes) -> int:
    """Bytes that a vault which holds `known` would store of `content`."""
    held = {digest for other in known for digest in frames(other)}
    return sum(length for digest, length in frames(content).items() if digest not in held)


def spans_of(content: bytes, needle: bytes) -> list[Span]:
    """The spans that lie within `needle`, which stands once in `content`."""
    start = content.index(needle)
    return [s for s in cut(content).spans if start <= s.offset and s.offset + s.length <= start + len(needle)]


def noise(seed: int, length: int) -> bytes:
    """Bytes that occur nowhere else, the same in every run."""
    return random.Random(seed).randbytes(length)

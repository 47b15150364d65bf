"""A pack: frames back to back, then the table that describes them, so that a pack explains itself.

    offset 0   8 bytes   magic "DRPACK" 0x00 0x01
    then       frames    stored bytes of each frame, back to back
    then       table     44 bytes a frame, in the frames' order:
                           32  digest      BLAKE3-256 of the raw bytes
                            2  codec       registry id, little endian
                            1  seal        0: not sealed
                            1  reserved    0
                            4  raw length  little endian
                            4  stored length
    last 48    footer    frame count (u32 le), table version (u32 le, 1), SHA-256 of the table, magic "DRPACKND"

The pack's name is the SHA-256 of all its bytes. The table has a digest of its own because writers learn from it what
they need not store again, without reading the pack: one wrong bit in it would otherwise reach a new manifest.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import IntegrityError

HEAD: Final = b"DRPACK\x00\x01"
TAIL: Final = b"DRPACKND"
TABLE_VERSION: Final = 1
NOT_SEALED: Final = 0
MAX_RAW: Final = 64 << 20
"""Longest raw frame a reader accepts; a bound on what a hostile table can make it allocate."""
MAX_PACK: Final = 256 << 20
"""Longest pack a reader accepts; whoever verifies or copies one holds it in memory."""

_ENTRY: Final = struct.Struct("<32sHBBII")
_FOOTER: Final = struct.Struct("<II32s8s")
FOOTER_SIZE: Final = _FOOTER.size
ENTRY_SIZE: Final = _ENTRY.size


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a pack: where its stored bytes lie in it and what they decode to."""

    digest: bytes
    codec: int
    seal: int
    raw: int
    offset: int
    length: int


def table(frames: list[Frame]) -> bytes:
    """Table and footer of a pack that holds `frames` in this order."""
    rows = b"".join(_ENTRY.pack(f.digest, f.codec, f.seal, 0, f.raw, f.length) for f in frames)
    return rows + _FOOTER.pack(len(frames), TABLE_VERSION, hashlib.sha256(rows).digest(), TAIL)


def table_size(footer: bytes, pack_size: int, where: str) -> int:
    """Bytes of the table before the footer, from the pack's last `FOOTER_SIZE` bytes."""
    if len(footer) != FOOTER_SIZE:
        raise IntegrityError("a pack is shorter than its footer", where=where)
    count, version, _, magic = _FOOTER.unpack(footer)
    if magic != TAIL or version != TABLE_VERSION:
        raise IntegrityError("a pack does not end as a pack of this format ends", where=where)
    size = int(count) * ENTRY_SIZE
    if len(HEAD) + size + FOOTER_SIZE > pack_size:
        raise IntegrityError("a pack's table is larger than the pack", where=where)
    return size


def parse_table(rows: bytes, footer: bytes, pack_size: int, where: str) -> tuple[Frame, ...]:
    """Frames of a pack from its table; `IntegrityError` unless the footer names its digest and they fill the pack.

    `rows` are the `table_size` bytes before `footer`.
    """
    if hashlib.sha256(rows).digest() != _FOOTER.unpack(footer)[2]:
        raise IntegrityError("a pack's table does not have the digest that its footer names", where=where)
    frames = []
    offset = len(HEAD)
    for digest, codec, seal, _, raw, length in _ENTRY.iter_unpack(rows):
        if raw > MAX_RAW:
            raise IntegrityError(f"a frame claims {raw} bytes, more than any frame has", where=where)
        frames.append(Frame(digest, codec, seal, raw, offset, length))
        offset += length
    if offset + len(rows) + FOOTER_SIZE != pack_size:
        raise IntegrityError("a pack's frames do not fill it", where=where)
    return tuple(frames)


def parse(pack: bytes | memoryview, where: str) -> tuple[Frame, ...]:
    """Frames of a whole pack in memory."""
    view = memoryview(pack)
    if bytes(view[: len(HEAD)]) != HEAD:
        raise IntegrityError("a pack does not start as a pack of this format starts", where=where)
    footer = bytes(view[-FOOTER_SIZE:])
    size = table_size(footer, len(view), where)
    return parse_table(bytes(view[len(view) - FOOTER_SIZE - size : -FOOTER_SIZE]), footer, len(view), where)

"""A pack: frames back to back, then the table that describes them, so that a pack explains itself.

    offset 0   8 bytes   magic "DRPACK" 0x00, then 0x01, or 0x02 for a sealed one, which goes on with
                           16  id of the run key
                           16  salt
    then       frames    stored bytes of each frame, back to back
    then       table     44 bytes a frame, in the frames' order:
                           32  digest      BLAKE3-256 of the raw bytes
                            2  codec       registry id, little endian
                            1  seal        0: not sealed; 1: AES-256-GCM
                            1  reserved    0
                            4  raw length  little endian
                            4  stored length
                         in a sealed pack the whole table is sealed under the writer key, 16 bytes longer
    last 48    footer    frame count (u32 le), table version (u32 le, 1, or 2 for a sealed one), SHA-256 of the table
                         as stored, magic "DRPACKND"

The pack's name is the SHA-256 of all its bytes. The table has a digest of its own because writers learn from it what
they need not store again, without reading the pack: one wrong bit in it would otherwise reach a new manifest.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from dr_lib.crypto import sealing
from dr_lib.errors import IntegrityError
from dr_lib.model.manifest import PackSeal

HEAD: Final = b"DRPACK\x00\x01"
SEALED_HEAD: Final = b"DRPACK\x00\x02"
TAIL: Final = b"DRPACKND"
CLEAR_TABLE: Final = 1
SEALED_TABLE: Final = 2
NOT_SEALED: Final = 0
SEALED: Final = 1
MAX_RAW: Final = 64 << 20
"""Longest raw frame a reader accepts; a bound on what a hostile table can make it allocate."""
MAX_PACK: Final = 256 << 20
"""Longest pack a reader accepts; whoever verifies or copies one holds it in memory."""

_ENTRY: Final = struct.Struct("<32sHBBII")
_FOOTER: Final = struct.Struct("<II32s8s")
_SEAL: Final = struct.Struct("16s16s")
FOOTER_SIZE: Final = _FOOTER.size
ENTRY_SIZE: Final = _ENTRY.size
SEALED_HEAD_SIZE: Final = len(SEALED_HEAD) + _SEAL.size


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a pack: where its stored bytes lie in it and what they decode to."""

    digest: bytes
    codec: int
    seal: int
    raw: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Outline:
    """A pack without its frames: its size in bytes, how it is sealed, its table and footer as they stand in it."""

    size: int
    seal: PackSeal | None
    rows: bytes
    footer: bytes


def head(seal: PackSeal | None) -> bytes:
    """The bytes that a pack starts with."""
    return HEAD if seal is None else SEALED_HEAD + seal_bytes(seal)


def seal_bytes(seal: PackSeal) -> bytes:
    """32 bytes that name a pack's run key and salt."""
    return _SEAL.pack(bytes.fromhex(seal.key), seal.salt)


def parse_seal(data: bytes) -> PackSeal:
    """Inverse of `seal_bytes`."""
    key, salt = _SEAL.unpack(data)
    return PackSeal(key.hex(), salt)


def table(frames: list[Frame], seal: PackSeal | None = None, writer: bytes | None = None) -> bytes:
    """Table and footer of a pack that holds `frames` in this order; a sealed one needs the `writer` key."""
    rows = b"".join(_ENTRY.pack(f.digest, f.codec, f.seal, 0, f.raw, f.length) for f in frames)
    if seal is not None:
        assert writer is not None, "sealed packs are written with a writer key"
        rows = sealing.seal(sealing.derive(writer, seal.salt, sealing.TABLE), 0, rows, head(seal))
    version = CLEAR_TABLE if seal is None else SEALED_TABLE
    return rows + _FOOTER.pack(len(frames), version, hashlib.sha256(rows).digest(), TAIL)


def is_sealed(footer: bytes, where: str) -> bool:
    """Whether a pack that ends like this is sealed; `IntegrityError` when no pack of this format ends so."""
    if len(footer) != FOOTER_SIZE:
        raise IntegrityError("a pack is shorter than its footer", where=where)
    _, version, _, magic = _FOOTER.unpack(footer)
    if magic != TAIL or version not in (CLEAR_TABLE, SEALED_TABLE):
        raise IntegrityError("a pack does not end as a pack of this format ends", where=where)
    return bool(version == SEALED_TABLE)


def table_size(footer: bytes, pack_size: int, where: str) -> int:
    """Bytes of the table before the footer, from the pack's last `FOOTER_SIZE` bytes."""
    sealed = is_sealed(footer, where)
    size = int(_FOOTER.unpack(footer)[0]) * ENTRY_SIZE + (sealing.TAG_BYTES if sealed else 0)
    if (SEALED_HEAD_SIZE if sealed else len(HEAD)) + size + FOOTER_SIZE > pack_size:
        raise IntegrityError("a pack's table is larger than the pack", where=where)
    return size


def outline(pack: bytes | memoryview, where: str) -> Outline:
    """The outline of a whole pack in memory; `IntegrityError` unless it starts and ends as a pack does."""
    view = memoryview(pack)
    footer = bytes(view[-FOOTER_SIZE:])
    size = table_size(footer, len(view), where)
    rows = bytes(view[len(view) - FOOTER_SIZE - size : -FOOTER_SIZE])
    return Outline(len(view), parse_head(bytes(view[:SEALED_HEAD_SIZE]), footer, where), rows, footer)


def parse_head(start: bytes, footer: bytes, where: str) -> PackSeal | None:
    """How a pack is sealed, from its first `SEALED_HEAD_SIZE` bytes, which must fit its footer."""
    sealed = is_sealed(footer, where)
    if not start.startswith(SEALED_HEAD if sealed else HEAD):
        raise IntegrityError("a pack does not start as a pack of this format starts", where=where)
    return parse_seal(start[len(SEALED_HEAD) : SEALED_HEAD_SIZE]) if sealed else None


def frames(outline: Outline, where: str, writer: bytes | None = None) -> tuple[Frame, ...]:
    """Frames of a pack from its table; `IntegrityError` unless the footer names its digest and they fill the pack.

    A sealed table opens with the `writer` key of those who wrote it; another, or none, raises `IntegrityError` too.
    """
    found = []
    offset = len(head(outline.seal))
    for digest, codec, seal, _, raw, length in _ENTRY.iter_unpack(_open_rows(outline, where, writer)):
        if raw > MAX_RAW:
            raise IntegrityError(f"a frame claims {raw} bytes, more than any frame has", where=where)
        found.append(Frame(digest, codec, seal, raw, offset, length))
        offset += length
    if offset + len(outline.rows) + FOOTER_SIZE != outline.size:
        raise IntegrityError("a pack's frames do not fill it", where=where)
    return tuple(found)


def check_table(outline: Outline, where: str) -> None:
    """Raise `IntegrityError` unless the table has the digest that the footer names. Needs no key."""
    if hashlib.sha256(outline.rows).digest() != _FOOTER.unpack(outline.footer)[2]:
        raise IntegrityError("a pack's table does not have the digest that its footer names", where=where)


def parse(pack: bytes | memoryview, where: str, writer: bytes | None = None) -> tuple[Frame, ...]:
    """Frames of a whole pack in memory."""
    return frames(outline(pack, where), where, writer)


def _open_rows(outline: Outline, where: str, writer: bytes | None) -> bytes:
    check_table(outline, where)
    if outline.seal is None:
        return outline.rows
    if writer is None:
        raise IntegrityError("a sealed table needs a writer key", where=where)
    key = sealing.derive(writer, outline.seal.salt, sealing.TABLE)
    return sealing.unseal(key, 0, outline.rows, head(outline.seal))

"""An index object: which chunks some packs hold. Working memory of writers; no restore needs one.

offset 0   8 bytes   magic "DRINDEX" 0x01
then       packs     32 bytes SHA-256 of the pack, 8 bytes size (u64 le), 4 bytes length of
                     what follows (u32 le), then, for a sealed pack, the 32 bytes of its run key and salt, then the
                     pack's table and footer as they stand in the pack
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import IntegrityError
from dr_lib.format import pack

HEAD: Final = b"DRINDEX\x01"
_PACK: Final = struct.Struct("<32sQI")
_SEAL_SIZE: Final = pack.SEALED_HEAD_SIZE - len(pack.SEALED_HEAD)


@dataclass(frozen=True, slots=True)
class IndexedPack:
    """A pack's name and its outline."""

    sha256: str
    outline: pack.Outline


def dump(packs: Iterable[IndexedPack]) -> bytes:
    """Bytes of an index object."""
    parts = [HEAD]
    for item in packs:
        seal = b"" if item.outline.seal is None else pack.seal_bytes(item.outline.seal)
        content = seal + item.outline.rows + item.outline.footer
        parts += [_PACK.pack(bytes.fromhex(item.sha256), item.outline.size, len(content)), content]
    return b"".join(parts)


def load(data: bytes, where: str) -> Iterator[IndexedPack]:
    """The packs of an index object, their tables not opened; `IntegrityError` at the first thing that does not fit."""
    if not data.startswith(HEAD):
        raise IntegrityError("not an index of this format", where=where)
    at = len(HEAD)
    while at < len(data):
        if at + _PACK.size > len(data):
            raise IntegrityError("an index ends in the middle of a pack", where=where)
        name, size, length = _PACK.unpack_from(data, at)
        at += _PACK.size
        yield IndexedPack(name.hex(), _outline(data[at : at + length], size, where))
        at += length


def _outline(content: bytes, size: int, where: str) -> pack.Outline:
    rows, footer = content[: -pack.FOOTER_SIZE], content[-pack.FOOTER_SIZE :]
    seal = None
    if pack.is_sealed(footer, where):
        if len(rows) < _SEAL_SIZE:
            raise IntegrityError("an index ends in the middle of a table", where=where)
        seal, rows = pack.parse_seal(rows[:_SEAL_SIZE]), rows[_SEAL_SIZE:]
    if pack.table_size(footer, size, where) != len(rows):
        raise IntegrityError("an index ends in the middle of a table", where=where)
    outline = pack.Outline(size, seal, rows, footer)
    pack.check_table(outline, where)
    return outline

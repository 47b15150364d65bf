"""An index object: which chunks some packs hold. Working memory of writers; no restore needs one.

offset 0   8 bytes   magic "DRINDEX" 0x01
then       packs     32 bytes SHA-256 of the pack, 8 bytes size (u64 le), 4 bytes length of
                     what follows (u32 le), then the pack's table and footer as they stand in the pack
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


@dataclass(frozen=True, slots=True)
class IndexedPack:
    """A pack and its frames."""

    sha256: str
    size: int
    frames: tuple[pack.Frame, ...]


def dump(packs: Iterable[IndexedPack]) -> bytes:
    """Bytes of an index object."""
    parts = [HEAD]
    for item in packs:
        rows = pack.table(list(item.frames))
        parts += [_PACK.pack(bytes.fromhex(item.sha256), item.size, len(rows)), rows]
    return b"".join(parts)


def load(data: bytes, where: str) -> Iterator[IndexedPack]:
    """The packs of an index object; `IntegrityError` at the first thing that does not fit."""
    if not data.startswith(HEAD):
        raise IntegrityError("not an index of this format", where=where)
    at = len(HEAD)
    while at < len(data):
        if at + _PACK.size > len(data):
            raise IntegrityError("an index ends in the middle of a pack", where=where)
        name, size, length = _PACK.unpack_from(data, at)
        at += _PACK.size
        split = max(at, at + length - pack.FOOTER_SIZE)
        rows, footer = data[at:split], data[split : at + length]
        if pack.table_size(footer, size, where) != len(rows):
            raise IntegrityError("an index ends in the middle of a table", where=where)
        yield IndexedPack(name.hex(), size, pack.parse_table(rows, footer, size, where))
        at += length

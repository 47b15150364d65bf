"""GGUF files, written by hand so that they can be odd."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Tensor:
    """Dimensions as the format has them: the fastest first."""

    name: str
    kind: int
    dimensions: tuple[int, ...]
    data: bytes
    offset: int | None = None


def text(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def entry(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def array(kind: int, items: Iterable[bytes]) -> bytes:
    listed = list(items)
    return struct.pack("<IQ", kind, len(listed)) + b"".join(listed)


def gguf_file(
    tensors: Iterable[Tensor],
    entries: Iterable[bytes] = (),
    *,
    version: int = 3,
    alignment: int = 32,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """`counts` (tensors, entries) are what the header claims, if not the truth."""
    tensors, entries = list(tensors), list(entries)
    infos, data = b"", b""
    for tensor in tensors:
        data += bytes(-len(data) % alignment)
        offset = len(data) if tensor.offset is None else tensor.offset
        infos += text(tensor.name) + struct.pack(
            f"<I{len(tensor.dimensions)}Q", len(tensor.dimensions), *tensor.dimensions
        )
        infos += struct.pack("<IQ", tensor.kind, offset)
        data += tensor.data
    claimed = counts or (len(tensors), len(entries))
    header = b"GGUF" + struct.pack("<IQQ", version, *claimed) + b"".join(entries) + infos
    return header + bytes(-len(header) % alignment) + data

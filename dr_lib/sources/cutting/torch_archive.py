"""Where the storages of a torch checkpoint lie in its archive, and of which numbers they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from dr_lib.sources.base import ReadRange, TensorSpan
from dr_lib.sources.cutting.spans import Block, OddBytes
from dr_lib.sources.cutting.torch_pickle import Checkpoint, Stated, read_checkpoint
from dr_lib.sources.cutting.zip_directory import Archive, Entry, content
from dr_lib.sources.safetensors_header import ITEM_BITS

PICKLE: Final = "/data.pkl"
MAX_PICKLE_BYTES: Final = 8 << 20
MOST_SHARED: Final = 4
"""Tensors that share bytes (tied weights) are measured one by one; a hostile file could name a storage without end."""
_MOST_DIMENSIONS: Final = 64
_ALIGNMENT: Final = 64
_DESCRIPTORS: Final = {0: (0,), 8: (16, 24)}
"""Bytes of the record behind a content, by the flag that says whether there is one."""


def look_into(archive: Archive, read: ReadRange) -> tuple[list[Block], tuple[TensorSpan, ...]]:
    """The storages by offset, and the tensors of a flat dict; nothing for an archive that is no plain checkpoint.

    Raises only what `read` raises.
    """
    entries = {entry.info.filename: entry for entry in archive.entries}
    pickles = [name for name in entries if name.endswith(PICKLE) and name.count("/") == 1]
    if len(pickles) != 1 or len(entries) != len(archive.entries):
        return [], ()
    folder = pickles[0].removesuffix(PICKLE)
    try:
        if f"{folder}/byteorder" in entries and _bytes(entries[f"{folder}/byteorder"], read) != b"little":
            return [], ()
        checkpoint = read_checkpoint(_bytes(entries[pickles[0]], read))
    except OddBytes:
        return [], ()
    blocks = dict(_blocks(checkpoint, entries, f"{folder}/data/", archive.start))
    return list(blocks.values()), _tensors(checkpoint, blocks)


def _bytes(entry: Entry, read: ReadRange) -> bytes:
    start, end = content(entry, read)
    if not entry.is_stored or end - start > MAX_PICKLE_BYTES:
        raise OddBytes("a pickle that is compressed or too long")
    return read(start, end - start)


def _blocks(checkpoint: Checkpoint, entries: dict[str, Entry], folder: str, base: int) -> Iterator[tuple[str, Block]]:
    for key, dtype in checkpoint.dtypes.items():
        entry = entries.get(folder + key)
        body = _body(entry, base) if entry is not None and entry.is_stored else None
        if body is not None:
            yield key, Block(*body, dtype)


def _body(entry: Entry, base: int) -> tuple[int, int] | None:
    """Where the content lies, of a short one without a read: aligned, and right before its descriptor."""
    if entry.body is not None:
        return entry.body
    for descriptor in _DESCRIPTORS[entry.info.flag_bits & 8]:
        end = entry.end - descriptor
        if (end - entry.info.file_size - base) % _ALIGNMENT == 0:
            return end - entry.info.file_size, end
    return None


def _tensors(checkpoint: Checkpoint, blocks: dict[str, Block]) -> tuple[TensorSpan, ...]:
    """Tensors that lie within their storages; none at all where they share bytes beyond `MOST_SHARED`."""
    placed = [
        span
        for name, stated in checkpoint.tensors.items()
        if stated.key in blocks and (span := _placed(name, stated, blocks[stated.key])) is not None
    ]
    if sum(span.length for span in placed) > MOST_SHARED * sum(block.length for block in blocks.values()):
        return ()
    return tuple(sorted(placed, key=lambda span: (span.offset, span.name)))


def _placed(name: str, stated: Stated, block: Block) -> TensorSpan | None:
    item = ITEM_BITS[stated.dtype] // 8
    beyond = 0 not in stated.shape and any(extent > block.length for extent in stated.shape)
    if beyond or len(stated.shape) > _MOST_DIMENSIONS:
        return None
    start, length = block.start + stated.offset * item, math.prod(stated.shape) * item
    return TensorSpan(name, stated.dtype, stated.shape, start, length) if start + length <= block.end else None

"""Cuts GGUF files (versions 2 and 3, little-endian) at their tensors.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Of the metadata only `general.alignment` is heeded.
"""

from __future__ import annotations

import struct
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange, TensorSpan
from dr_lib.sources.cutting.gguf_types import TENSOR_TYPES, VALUE_BYTES, TensorType
from dr_lib.sources.cutting.spans import Block, OddBytes, fixed, of_blocks

MAGIC: Final = b"GGUF"
MAX_HEADER_BYTES: Final = 64 << 20
_WINDOW: Final = 1 << 20
_UINT32, _STRING, _ARRAY = 4, 8, 9
_LONGEST_TEXT: Final = 1 << 16
_MOST_DIMENSIONS: Final = 8
_DEEPEST: Final = 4
_MOST_TENSORS: Final = 200_000
_MOST_ALIGNMENT: Final = 1 << 16


def cut(read: ReadRange, size: int) -> FileCut:
    """The cut of a GGUF file: shapes are row-major, as torch has them. Raises `OddBytes`, and what `read` raises.

    Reads the header alone. Padding goes with the tensor before it.
    """
    header = _Header(read, size)
    if header.take(4) != MAGIC or header.count(4) not in (2, 3):
        raise OddBytes("no GGUF of a known version")
    tensors, entries = header.count(8), header.count(8)
    alignment = _alignment(header, entries)
    stated = [_tensor(header) for _ in range(_sane(tensors, _MOST_TENSORS))]
    start = min(_aligned(header.at, alignment), size)
    return _cut([_placed(tensor, start) for tensor in stated], start, size, alignment)


def _cut(tensors: list[TensorSpan], start: int, size: int, alignment: int) -> FileCut:
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise OddBytes("two tensors have one name")
    in_order = sorted(tensors, key=lambda tensor: (tensor.offset, tensor.length))
    blocks, position = [], start
    for tensor in in_order:
        if tensor.offset != position:
            raise OddBytes(f"tensor {tensor.name!r} leaves a hole or overlaps")
        end = tensor.offset + tensor.length
        if end > size:
            raise OddBytes(f"tensor {tensor.name!r} ends outside the file")
        padded = _aligned(end, alignment)
        position = padded if padded <= size else end
        if tensor.length:
            blocks.append(Block(tensor.offset, position, _plain(tensor.dtype)))
    spans = (*fixed(0, start), *of_blocks(blocks), *fixed(position, size))
    return FileCut(spans, tuple(sorted(tensors, key=lambda tensor: (tensor.offset, tensor.name))))


_PLAIN: Final = frozenset(kind.name for kind in TENSOR_TYPES.values() if kind.elements == 1)


def _plain(dtype: str) -> str | None:
    """Quantised elements share bytes with their scales: no codec tells them apart."""
    return dtype if dtype in _PLAIN else None


def _alignment(header: _Header, entries: int) -> int:
    alignment = 32
    for _ in range(_sane(entries, MAX_HEADER_BYTES)):
        key, kind = header.text(), header.count(4)
        if key == "general.alignment" and kind == _UINT32:
            alignment = header.count(4)
        else:
            _skip_value(header, kind, _DEEPEST)
    if not 8 <= alignment <= _MOST_ALIGNMENT or alignment & (alignment - 1):
        raise OddBytes(f"tensors are aligned to {alignment} bytes")
    return alignment


def _skip_value(header: _Header, kind: int, deepest: int) -> None:
    if kind == _STRING:
        header.skip(header.count(8))
    elif kind == _ARRAY:
        _skip_array(header, header.count(4), header.count(8), deepest - 1)
    elif kind in VALUE_BYTES:
        header.skip(VALUE_BYTES[kind])
    else:
        raise OddBytes(f"metadata of the unknown type {kind}")


def _skip_array(header: _Header, kind: int, items: int, deepest: int) -> None:
    if kind in VALUE_BYTES:
        header.skip(VALUE_BYTES[kind] * items)
        return
    if deepest == 0:
        raise OddBytes("arrays in arrays in arrays")
    for _ in range(_sane(items, MAX_HEADER_BYTES)):
        _skip_value(header, kind, deepest)


def _tensor(header: _Header) -> tuple[str, TensorType, tuple[int, ...], int]:
    name, dimensions = header.text(), header.count(4)
    if dimensions > _MOST_DIMENSIONS:
        raise OddBytes(f"tensor {name!r} has {dimensions} dimensions")
    shape = tuple(header.count(8) for _ in range(dimensions))
    kind, offset = TENSOR_TYPES.get(header.count(4)), header.count(8)
    if kind is None:
        raise OddBytes(f"tensor {name!r} is of an unknown type")
    return name, kind, shape, offset


def _placed(stated: tuple[str, TensorType, tuple[int, ...], int], start: int) -> TensorSpan:
    name, kind, shape, offset = stated
    elements = 1
    for extent in shape:
        elements *= extent
    blocks, rest = divmod(elements, kind.elements)
    if rest:
        raise OddBytes(f"tensor {name!r} ends within a block")
    return TensorSpan(name, kind.name, shape[::-1], start + offset, blocks * kind.bytes)


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def _sane(items: int, most: int) -> int:
    """Each item takes a byte at least, so that more than `MAX_HEADER_BYTES` cannot end within the header."""
    if items > most:
        raise OddBytes(f"{items} items")
    return items


class _Header:
    """Reads on through the header, in windows; `OddBytes` past `MAX_HEADER_BYTES` or the file's end."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self._read, self._end = read, min(size, MAX_HEADER_BYTES)
        self._start, self._data = 0, b""
        self.at = 0

    def take(self, length: int) -> bytes:
        start = self.at
        self.skip(length)
        if self.at > self._start + len(self._data):
            self._start, self._data = start, self._read(start, min(max(_WINDOW, length), self._end - start))
        return self._data[start - self._start : self.at - self._start]

    def skip(self, length: int) -> None:
        self.at += length
        if self.at > self._end:
            raise OddBytes("the header does not end")

    def count(self, width: int) -> int:
        value: int = struct.unpack("<I" if width == 4 else "<Q", self.take(width))[0]
        return value

    def text(self) -> str:
        length = self.count(8)
        if length > _LONGEST_TEXT:
            raise OddBytes(f"a name of {length} bytes")
        try:
            return self.take(length).decode()
        except UnicodeDecodeError as error:
            raise OddBytes("a name is no text") from error

"""Cuts parquet files at their row groups and long column chunks, as the footer tells.

Format: https://parquet.apache.org/docs/file-format/. Appended row groups leave the frames of those before them as
they are, so that only they, and the footer, are new. Pages are compressed already: the frames are opaque.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dr_lib.sources.base import FileCut, ReadRange
from dr_lib.sources.cutting.spans import ALONE_BYTES, OddBytes, between
from dr_lib.sources.cutting.thrift import Wanted, parse

MAGIC: Final = b"PAR1"
MAX_FOOTER_BYTES: Final = 16 << 20
ROW_GROUP_BYTES: Final = 256 << 10
"""Row groups from this length on begin a frame and end one; shorter neighbours are bundled up to it."""
_TAIL: Final = 8
_ROW_GROUPS, _COLUMNS, _META_DATA, _COMPRESSED, _DATA_PAGE, _DICTIONARY_PAGE = 4, 1, 3, 7, 9, 11
_FOOTER: Final[Wanted] = {
    _ROW_GROUPS: {_COLUMNS: {_META_DATA: {_COMPRESSED: {}, _DATA_PAGE: {}, _DICTIONARY_PAGE: {}}}}
}
"""The path to what is needed, as numbered in parquet.thrift."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    start: int
    end: int
    group: int


def cut(read: ReadRange, size: int) -> FileCut:
    """The cut of a parquet file. Raises `OddBytes`, and what `read` raises. Reads the footer alone."""
    tail = read(size - _TAIL, _TAIL)
    footer = size - _TAIL - int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or not len(MAGIC) <= footer < size - _TAIL or size - footer > MAX_FOOTER_BYTES:
        raise OddBytes("no parquet footer")
    chunks = _chunks(read(footer, size - footer - _TAIL))
    _check(chunks, footer)
    return FileCut(between(_marks(chunks), size), ())


def _chunks(footer: bytes) -> list[_Chunk]:
    """Column chunks with data, by offset."""
    groups = _items(parse(footer, _FOOTER).get(_ROW_GROUPS))
    found = [
        _chunk(number, _fields(_fields(column).get(_META_DATA)))
        for number, group in enumerate(groups)
        for column in _items(_fields(group).get(_COLUMNS))
    ]
    return sorted((chunk for chunk in found if chunk.start < chunk.end), key=lambda chunk: (chunk.start, chunk.end))


def _chunk(group: int, facts: dict[int, Any]) -> _Chunk:
    data, length = _count(facts.get(_DATA_PAGE)), _count(facts.get(_COMPRESSED))
    start = min(data, _count(facts.get(_DICTIONARY_PAGE)) or data)
    return _Chunk(start, start + length, group)


def _fields(value: Any) -> dict[int, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _check(chunks: list[_Chunk], footer: int) -> None:
    position = len(MAGIC)
    for chunk in chunks:
        if chunk.start < position:
            raise OddBytes("column chunks overlap")
        position = chunk.end
    if position > footer:
        raise OddBytes("a column chunk reaches into the footer")


def _marks(chunks: list[_Chunk]) -> Iterator[int]:
    """Where frames begin: at row groups, at long column chunks and after them, and where a bundle is full."""
    lengths: dict[int, int] = {}
    for chunk in chunks:
        lengths[chunk.group] = lengths.get(chunk.group, 0) + chunk.end - chunk.start
    opened = end = 0
    for chunk in chunks:
        group = lengths.pop(chunk.group, 0)
        begins = group and max(group, chunk.start - opened) >= ROW_GROUP_BYTES
        if chunk.start > len(MAGIC) and (begins or chunk.end - opened > ALONE_BYTES):
            yield (opened := chunk.start)
        end = chunk.end
    yield end

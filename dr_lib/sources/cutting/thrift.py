"""Reads wanted fields out of Thrift's compact encoding and passes over the rest.

Format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. Complete readers of parquet
footers exist, but the one that ships with pyarrow ends the whole process on some damaged ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from dr_lib.sources.cutting.spans import OddBytes

Wanted: TypeAlias = Mapping[int, "Wanted"]
"""The wanted fields of a struct (or of a list's structs), each with what is wanted of it in turn; `{}` for a number."""
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_NUMBERS: Final = (4, 5, 6)
_DEEPEST: Final = 16
_LONGEST_NUMBER: Final = 10
_MOST_KEPT: Final = 500_000
"""Structs of which something is wanted: what they become in memory is many times their bytes."""


def parse(data: bytes, wanted: Wanted) -> dict[int, Any]:
    """The wanted fields of the struct that `data` begins with: integers, lists of structs, and dicts for structs.

    Raises `OddBytes` when it is no such struct. Takes time in proportion to `data`, and bounded memory.
    """
    try:
        return _Reader(data).struct(wanted, _DEEPEST)
    except IndexError as error:
        raise OddBytes("a thrift struct does not end") from error


class _Reader:
    """What ends past the data meets an `IndexError` at the next byte; a struct always has a next byte, its stop."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._kept = data, 0, 0

    def struct(self, wanted: Wanted, deepest: int) -> dict[int, Any]:
        if deepest == 0:
            raise OddBytes("thrift structs in structs in structs")
        self._kept += bool(wanted)
        if self._kept > _MOST_KEPT:
            raise OddBytes("too many thrift structs")
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._number()
            kind = head & 15
            if kind in (_TRUE, _FALSE):
                continue
            value = self._value(kind, wanted.get(number), deepest)
            if number in wanted:
                found[number] = value
        return found

    def _value(self, kind: int, wanted: Wanted | None, deepest: int) -> Any:
        if kind in _NUMBERS:
            return self._number()
        if kind == _STRUCT:
            return self.struct(wanted or {}, deepest - 1)
        if kind in (_LIST, _SET):
            return self._list(wanted, deepest - 1)
        if kind == _MAP:
            return self._pass_map(deepest - 1)
        return self._pass(kind)

    def _list(self, wanted: Wanted | None, deepest: int) -> list[Any]:
        head = self._byte()
        length, kind = head >> 4, head & 15
        items = self._items(length if length < 15 else self._varint(), kind, deepest)
        if wanted:
            return [self._value(kind, wanted, deepest) for _ in items]
        for _ in items:
            self._value(kind, None, deepest)
        return []

    def _pass_map(self, deepest: int) -> None:
        if length := self._varint():
            kinds = self._byte()
            for _ in self._items(length, kinds, deepest):
                self._value(kinds >> 4, None, deepest)
                self._value(kinds & 15, None, deepest)

    def _items(self, length: int, kind: int, deepest: int) -> range:
        """Every item takes a byte at least."""
        if length > len(self._data) - self._at or deepest == 0:
            raise OddBytes(f"{length} thrift items of type {kind}")
        return range(length)

    def _pass(self, kind: int) -> None:
        if kind in (_TRUE, _FALSE, _BYTE):
            self._at += 1
        elif kind == _DOUBLE:
            self._at += 8
        elif kind == _BINARY:
            length = self._varint()
            self._at += length
        else:
            raise OddBytes(f"the unknown thrift type {kind}")

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _varint(self) -> int:
        value = 0
        for place in range(_LONGEST_NUMBER):
            byte = self._byte()
            value |= (byte & 127) << 7 * place
            if byte < 128:
                return value
        raise OddBytes("a thrift number does not end")

    def _number(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)

"""A digest of a column's values in their order, whatever pieces they come in and whatever lies below a null.

Three kinds of bytes are hashed apart: which values are there, how long those of varying length are, and the values that
are there as Arrow lays them out (little-endian, https://arrow.apache.org/docs/format/Columnar.html).
"""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds
from blake3 import blake3

_BYTES: Final = 16


class ColumnDigest:
    """Of one column; pieces are added in the order of the rows."""

    def __init__(self) -> None:
        """Of no value yet."""
        self._valid, self._lengths, self._values = blake3(), blake3(), blake3()
        self._inner: list[ColumnDigest] = []

    def add(self, values: pa.Array) -> None:
        """The next values of the column, always of the same type."""
        values = _plain(values)
        self._valid.update(_data(pc.cast(values.is_valid(), pa.uint8())))
        there = values.drop_null()
        if isinstance(there, pa.StructArray):
            self._add_inner(there.flatten())
        elif isinstance(there, pa.MapArray):
            self._add_flat(there)
        elif isinstance(there, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
            self._add_lengths(pc.list_value_length(there))
            self._add_inner([there.flatten()])
        else:
            self._add_flat(there)

    def hexdigest(self) -> str:
        """Of all values so far."""
        whole = blake3()
        for part in (self._valid, self._lengths, self._values):
            whole.update(part.digest())
        for one in self._inner:
            whole.update(one.hexdigest().encode())
        return whole.hexdigest(length=_BYTES)

    def _add_inner(self, columns: list[Any]) -> None:
        self._inner = self._inner or [ColumnDigest() for _ in columns]
        for digest, column in zip(self._inner, columns, strict=True):
            digest.add(column)

    def _add_lengths(self, lengths: Any) -> None:
        self._lengths.update(_data(pc.cast(lengths, pa.int64())))

    def _add_flat(self, values: Any) -> None:
        kind = values.type
        if kinds.is_null(kind):
            return
        if kinds.is_boolean(kind):
            self._values.update(_data(pc.cast(values, pa.uint8())))
        elif _is_text(kind):
            self._add_lengths(pc.binary_length(values))
            self._values.update(_text(pc.cast(values, pa.large_binary())))
        elif _has_width(kind):
            self._values.update(_data(values))
        else:
            for value in values:
                self._values.update(repr(value.as_py()).encode())


def _plain(values: Any) -> Any:
    """Without what only says how it is stored or called."""
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    if kinds.is_string_view(values.type) or kinds.is_binary_view(values.type):
        values = pc.cast(values, pa.large_binary())
    return values


def _is_text(kind: pa.DataType) -> bool:
    tests = (kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary)
    return any(test(kind) for test in tests)


def _has_width(kind: pa.DataType) -> bool:
    return bool(kinds.is_primitive(kind) or kinds.is_decimal(kind) or kinds.is_fixed_size_binary(kind))


def _data(values: Any) -> memoryview:
    """The bytes of values of one width without nulls."""
    width = values.type.bit_width // 8
    return memoryview(values.buffers()[1])[values.offset * width : (values.offset + len(values)) * width]


def _text(values: Any) -> memoryview:
    """The bytes of large binaries without nulls, one after the other."""
    if not len(values):
        return memoryview(b"")
    _, places, data = values.buffers()
    offsets = memoryview(places).cast("B")[values.offset * 8 : (values.offset + len(values) + 1) * 8].cast("q")
    return memoryview(data or b"")[offsets[0] : offsets[-1]]

"""Every value of a column a little off, as far as its type has a neighbour for each value. Pure."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

FACTOR: Final = 1.01
"""What floating-point numbers are multiplied by: their norm changes by 1 %."""


def can_change(kind: pa.DataType) -> bool:
    """Whether values of this type can be set off."""
    tests = (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_timestamp, kinds.is_date, kinds.is_string)
    return any(test(kind) for test in (*tests, kinds.is_large_string))


def changed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with every value set off, of the same type; `can_change` holds of it. Nulls stay."""
    return pa.chunked_array([_changed(chunk) for chunk in column.chunks], type=column.type)


def _changed(values: pa.Array) -> Any:
    kind = values.type
    if kinds.is_boolean(kind):
        return pc.invert(values)
    if kinds.is_floating(kind):
        return pc.cast(pc.multiply(pc.cast(values, pa.float64()), FACTOR), kind, safe=False)
    if kinds.is_integer(kind):
        return pc.add(values, pa.scalar(1, kind))
    if kinds.is_string(kind) or kinds.is_large_string(kind):
        return pc.binary_join_element_wise(values, pa.scalar("1", kind), pa.scalar("", kind))
    whole = pa.int64() if kind.bit_width == 64 else pa.int32()
    step = 86_400_000 if kinds.is_date64(kind) else 1
    return pc.add(values.view(whole), pa.scalar(step, whole)).view(kind)

"""What a parquet file's footer tells of its columns: no page is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class _Column:
    """A column over the row groups so far; a fact is dropped (None) as soon as one of them does not tell it."""

    nulls: int | None = 0
    low: float | None = math.inf
    high: float | None = -math.inf

    def add(self, found: Any) -> None:
        told = found is not None and found.has_null_count
        self.nulls = self.nulls + found.null_count if told and self.nulls is not None else None
        if found is None or not found.has_min_max:
            empty = told and found.num_values == 0  # nothing but nulls has no limits
            self.low, self.high = (self.low, self.high) if empty else (None, None)
            return
        low, high = _number(found.min), _number(found.max)
        self.low = None if low is None or self.low is None else min(self.low, low)
        self.high = None if high is None or self.high is None else max(self.high, high)

    def facts(self) -> dict[str, float]:
        named = {"nulls": self.nulls, "min": self.low, "max": self.high}
        return {name: value for name, value in named.items() if value is not None and math.isfinite(value)}


def footer_stats(metadata: Any) -> dict[str, dict[str, float]]:
    """`{column: {"nulls", "min", "max"}}` of flat columns; limits of numbers alone, what is not told is left out."""
    columns = {column: _flat_name(metadata.schema, column) for column in range(metadata.num_columns)}
    found = {name: _Column() for name in columns.values() if name is not None}
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for column, name in columns.items():
            if name is not None:
                found[name].add(row_group.column(column).statistics)
    return {name: column.facts() for name, column in found.items()}


def _flat_name(schema: Any, column: int) -> str | None:
    """The column's name; None for one that lies in a list or a structure."""
    facts = schema.column(column)
    return facts.name if facts.path == facts.name else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None

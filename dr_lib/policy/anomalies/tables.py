"""Anomalies of a dataset's tables against those of the last good point.

Tables come and go by name (a file a day), so that columns are looked at over all tables together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from dr_lib.model.gates import Finding, Gates, TableFacts
from dr_lib.policy.anomalies.whole import jump
from dr_lib.policy.anomalies.words import counted, percent

FEW_ROWS: Final = 100
"""Below, a jump in rows and a column's statistics say nothing."""
FAR: Final = 1000.0
"""A column's numbers spread over so many times the range."""

Tables = Mapping[str, TableFacts]


@dataclass(slots=True)
class _Column:
    """A column over all tables that have it; `nulls` is None as soon as one of them does not tell."""

    types: set[str] = field(default_factory=set)
    rows: int = 0
    nulls: int | None = 0
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    @property
    def null_share(self) -> float | None:
        return None if self.nulls is None or not self.rows else self.nulls / self.rows

    @property
    def spread(self) -> float | None:
        return max(self.high) - min(self.low) if self.low and self.high else None


def table_findings(past: Tables, new: Tables, gates: Gates) -> Iterator[Finding]:
    """Rows, columns, and what columns hold."""
    yield from jump("rows", _rows(past), _rows(new), FEW_ROWS, gates)
    before, now = _columns(past), _columns(new)
    if not now:
        return
    if gates.structure:
        yield from _structure(before, now)
    for name, column in now.items():
        old = before.get(name)
        if old is not None and min(old.rows, column.rows) >= FEW_ROWS:
            yield from _contents(name, old, column, gates)


def _rows(tables: Tables) -> int:
    return sum(table.rows for table in tables.values())


def _columns(tables: Tables) -> dict[str, _Column]:
    found: defaultdict[str, _Column] = defaultdict(_Column)
    for table in tables.values():
        for name, facts in table.columns.items():
            column = found[name]
            column.types.add(facts.type)
            column.rows += table.rows
            column.nulls = None if facts.nulls is None or column.nulls is None else column.nulls + facts.nulls
            column.low += [] if facts.minimum is None else [facts.minimum]
            column.high += [] if facts.maximum is None else [facts.maximum]
    return dict(found)


def _structure(before: Mapping[str, _Column], now: Mapping[str, _Column]) -> Iterator[Finding]:
    gone = sorted(before.keys() - now.keys())
    if gone:
        yield Finding(f"{counted(gone, 'column')} vanished from all tables", tuple(gone))
    other = sorted(name for name in before.keys() & now.keys() if not before[name].types & now[name].types)
    if other:
        yield Finding(f"the type of {counted(other, 'column')} changed", tuple(other))


def _contents(name: str, old: _Column, new: _Column, gates: Gates) -> Iterator[Finding]:
    before, share = old.null_share, new.null_share
    if before is not None and share is not None and share > before + gates.nulls:
        yield Finding(f"{percent(share)} of a column is null, where {percent(before)} was", (name,))
    if not old.spread or new.spread is None:
        return
    if new.spread == 0:
        yield Finding("a column became one value in every row", (name,))
    elif new.spread > FAR * old.spread:
        yield Finding(f"a column's values spread over more than {FAR:g} times the range", (name,))

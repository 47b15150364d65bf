"""Figures as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: int) -> str:
    """`87.3 MB`: decimal units, three figures."""
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{count} B" if unit == 0 else f"{amount:.3g} {UNITS[unit]}"


def span(seconds: float | None) -> str:
    """`4.2 s`, `12 min`, `3.5 h` or `9 d`; a dash for None."""
    if seconds is None:
        return "-"
    for length, unit in ((172_800, "d"), (7_200, "h"), (120, "min")):
        if seconds >= length:
            return f"{seconds / (length / 2):.3g} {unit}"
    return f"{seconds:.3g} s"


def pairs(console: Console, facts: Iterable[tuple[str, Any]]) -> None:
    """A name and its value a line."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        grid.add_row(name, str(value))
    console.print(grid)


def rows(console: Console, headings: Iterable[str], body: Iterable[Iterable[Any]]) -> None:
    """A table that fits 80 columns: what is too long is folded, never cut; points stay whole, to be copied."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap="point" in heading)
    for row in body:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


def copies(states: dict[str, str], locks: Mapping[str, str] = MappingProxyType({})) -> str:
    """`us-east verified, locked to 2026-12-26` and the others, a line each."""
    return "\n".join(f"{region} {state}{lock(locks.get(region))}" for region, state in states.items())


def lock(word: str | None) -> str:
    """`, locked to 2026-12-26`, or that it is not, or not known; empty for a region without locks."""
    if word is None:
        return ""
    return {"unlocked": ", NOT LOCKED", "unknown": ", lock unknown"}.get(word, f", locked to {word[:10]}")

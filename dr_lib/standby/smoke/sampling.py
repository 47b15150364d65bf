"""Which parts of a dataset's tables are compared value by value. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COMPARED_BYTES: Final = 8 << 30
"""About so much of a dataset is decoded, at backup and after a restore; of a smaller one everything."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Part `number` of the table `name`, of so many bytes."""

    name: str
    number: int
    size: int


def chosen(units: Sequence[Unit], most: int = COMPARED_BYTES) -> dict[str, list[int]] | None:
    """The parts to compare by table, evenly spaced over all so that they come to about `most` bytes; None: all."""
    total = sum(unit.size for unit in units)
    if total <= most:
        return None
    found: dict[str, list[int]] = {}
    for unit in units[:: math.ceil(total / most)]:
        found.setdefault(unit.name, []).append(unit.number)
    return found

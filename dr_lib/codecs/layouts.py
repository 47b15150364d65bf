"""How the elements of each dtype are best taken apart. Imports no numpy: most backups meet no tensor that is new."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Turn(IntEnum):
    """What is done to an element before it is taken apart. The numbers are part of the format."""

    UPRIGHT = 0
    ROTATED = 1
    """Left by a bit: a float's sign stands below its mantissa."""
    FOLDED = 2
    """0, -1, 1, -2, … become 0, 1, 2, 3, …: signed integers near zero have zeros in their upper bytes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Bytes of an element, and how its planes are best."""

    width: int
    turn: Turn


_ROTATED: Final = {"F32": 4, "F16": 2, "BF16": 2, "C64": 4}
_UPRIGHT: Final = {"F64": 8, "U64": 8, "U32": 4, "U16": 2}
_FOLDED: Final = {"I64": 8, "I32": 4, "I16": 2}
_TURNS: Final = ((Turn.ROTATED, _ROTATED), (Turn.UPRIGHT, _UPRIGHT), (Turn.FOLDED, _FOLDED))
LAYOUTS: Final = {name: Layout(width, turn) for turn, widths in _TURNS for name, width in widths.items()}
"""By safetensors dtype. Dtypes of one byte have no entry: their plane is the frame. F64 stands upright: most of it was
F32 once, and its 23 bits of fraction then end within a byte less."""

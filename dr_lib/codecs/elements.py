"""Frames as elements of a fixed width and the bytes that are left over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dr_lib.errors import IntegrityError

WIDTHS: Final = (2, 4, 8)
Elements = NDArray[np.unsignedinteger[Any]]


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


def unsigned(width: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Little endian unsigned integers of `width` bytes; `IntegrityError` for a width that frames do not have."""
    if width not in WIDTHS:
        raise IntegrityError(f"elements of {width} bytes")
    return np.dtype(f"<u{width}")


def read(raw: bytes | memoryview, width: int) -> Elements:
    """The whole elements in `raw`; up to `width - 1` bytes at its end are left over."""
    return np.frombuffer(raw, unsigned(width), len(raw) // width)

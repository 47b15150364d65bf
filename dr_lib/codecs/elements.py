"""Frames as elements of a fixed width and the bytes that are left over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dr_lib.errors import IntegrityError

WIDTHS: Final = (2, 4, 8)
Elements = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Layout:
    """Bytes of an element, and whether its planes are better when it is rotated left by one bit."""

    width: int
    rotated: bool


_ROTATED: Final = {"F32": 4, "F16": 2, "BF16": 2, "C64": 4}
_UPRIGHT: Final = {"F64": 8, "I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2}
LAYOUTS: Final = {name: Layout(width, rotated=True) for name, width in _ROTATED.items()} | {
    name: Layout(width, rotated=False) for name, width in _UPRIGHT.items()
}
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

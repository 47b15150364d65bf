"""Frames as elements of a fixed width and the bytes that are left over."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dr_lib.errors import IntegrityError

WIDTHS: Final = (2, 4, 8)
Elements = NDArray[np.unsignedinteger[Any]]


def unsigned(width: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Little endian unsigned integers of `width` bytes; `IntegrityError` for a width that frames do not have."""
    if width not in WIDTHS:
        raise IntegrityError(f"elements of {width} bytes")
    return np.dtype(f"<u{width}")


def read(raw: bytes | memoryview, width: int) -> Elements:
    """The whole elements in `raw`; up to `width - 1` bytes at its end are left over."""
    return np.frombuffer(raw, unsigned(width), len(raw) // width)

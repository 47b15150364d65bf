"""Elements that take at most 256 values: a list of the values and one byte an element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dr_lib.codecs import zstd_frame
from dr_lib.codecs.elements import read, unsigned
from dr_lib.errors import IntegrityError

MOST: Final = 256
_HEADER: Final = 2
_GLANCE: Final = 4096


@dataclass(frozen=True, slots=True)
class Palette:
    """Values and positions: masks, tables of few entries, weights that were quantised and cast back."""

    width: int = 2
    """Bytes of the elements that `encode` sees; a frame says its own."""

    id = 4
    name = "palette"

    def encode(self, raw: bytes) -> bytes | None:
        """Width, count less one, values, positions, left over bytes; None when there is no value or too many."""
        elements = read(raw, self.width)
        if not 1 <= len(np.unique(elements[:_GLANCE])) <= MOST:
            return None
        values = np.unique(elements)
        if len(values) > MOST:
            return None
        positions = np.searchsorted(values, elements).astype(np.uint8).tobytes()
        header = bytes((self.width, len(values) - 1))
        return b"".join((header, values.tobytes(), zstd_frame.shrink(positions), raw[elements.nbytes :]))

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """The values looked up; a position that has none is refused."""
        view = memoryview(stored)
        if len(view) < _HEADER:
            raise IntegrityError("a palette without its header")
        kind = unsigned(view[0])
        start = _HEADER + (view[1] + 1) * kind.itemsize
        end = len(view) - raw_length % kind.itemsize
        if end < start:
            raise IntegrityError("a palette ends before its values do")
        values = np.frombuffer(view[_HEADER:start], np.uint8).reshape(-1, kind.itemsize)
        positions = bytes(zstd_frame.expand(view[start:end], raw_length // kind.itemsize))
        if positions.translate(None, bytes(range(len(values)))):
            raise IntegrityError("a palette has no value for a position")
        raw = bytearray(raw_length)
        whole = len(positions) * kind.itemsize
        for number, plane in enumerate(values.T):
            raw[number : whole : kind.itemsize] = positions.translate(plane.tobytes().ljust(MOST))
        raw[whole:] = view[end:]
        return bytes(raw)

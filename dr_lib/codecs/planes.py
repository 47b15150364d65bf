"""Elements taken apart into planes of equal significance, each entropy coded alone.

The exponents of weights take few values and the mantissas nearly all: apart, the former shrink to a third and the
latter cost nothing but a copy. Rotated left by a bit, a float has its exponent in a byte of its own (BF16, F32) or at
the top of one (F16), its sign beside the mantissa, which is as random. Integers near zero are folded to naturals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dr_lib.codecs import zstd_frame
from dr_lib.codecs.elements import Elements, Turn, read, unsigned
from dr_lib.errors import IntegrityError

BLOCK: Final = 128 << 10
"""Elements that are taken apart at a time: what is held beside the planes stays small."""
_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Planes:
    """Planes of bytes. The fields say how to encode; a frame says itself how it was encoded."""

    width: int = 2
    turn: Turn = Turn.UPRIGHT

    id = 3
    name = "planes"

    def encode(self, raw: bytes) -> bytes:
        """Header, planes from the least significant one, left over bytes."""
        elements = read(raw, self.width)
        planes = [zstd_frame.shrink(plane.tobytes()) for plane in _split(elements, self.turn)]
        lengths = (len(plane).to_bytes(_LENGTH, "little") for plane in planes)
        return b"".join((bytes((self.width, self.turn)), *lengths, *planes, raw[elements.nbytes :]))

    def decode(self, stored: bytes | memoryview, raw_length: int) -> bytes:
        """The elements put together again. Lengths are checked before anything is allocated."""
        view = memoryview(stored)
        width, turn = _header(view)
        parts = _parts(view, width, raw_length)
        count = raw_length // width
        planes = [np.frombuffer(zstd_frame.expand(part, count), np.uint8) for part in parts[:-1]]
        return b"".join((_join(planes, turn).data, parts[-1]))


def _header(view: memoryview) -> tuple[int, Turn]:
    if len(view) < 2 or view[1] > max(Turn):
        raise IntegrityError("the header of a frame of planes does not parse")
    return unsigned(view[0]).itemsize, Turn(view[1])


def _parts(view: memoryview, width: int, raw_length: int) -> list[memoryview]:
    """The stored planes and, last, the left over bytes, which together fill the frame."""
    at = 2 + width * _LENGTH
    lengths = [int.from_bytes(view[end - _LENGTH : end], "little") for end in range(2 + _LENGTH, at + 1, _LENGTH)]
    lengths.append(raw_length % width)
    if at + sum(lengths) != len(view):
        raise IntegrityError("the planes of a frame do not fill it")
    parts = []
    for length in lengths:
        parts.append(view[at : at + length])
        at += length
    return parts


def _split(elements: Elements, turn: Turn) -> NDArray[np.uint8]:
    """One row a plane, the least significant one first."""
    planes = np.empty((elements.itemsize, len(elements)), np.uint8)
    one, rest, *shifts = _amounts(elements.dtype)
    for at in range(0, len(elements), BLOCK):
        block = elements[at : at + BLOCK]
        if turn is Turn.ROTATED:
            block = np.bitwise_or(block << one, block >> rest)
        elif turn is Turn.FOLDED:
            block = np.bitwise_xor(block << one, np.negative(block >> rest))
        for plane, shift in zip(planes, shifts, strict=True):
            plane[at : at + BLOCK] = (block >> shift).astype(np.uint8)
    return planes


def _join(planes: Sequence[NDArray[np.uint8]], turn: Turn) -> Elements:
    """The elements whose planes these are."""
    kind = unsigned(len(planes))
    elements = np.empty(len(planes[0]), kind)
    one, rest, *shifts = _amounts(kind)
    for at in range(0, len(elements), BLOCK):
        block = planes[0][at : at + BLOCK].astype(kind)
        for plane, shift in zip(planes[1:], shifts[1:], strict=True):
            block |= plane[at : at + BLOCK].astype(kind) << shift
        if turn is Turn.ROTATED:
            block = np.bitwise_or(block >> one, block << rest)
        elif turn is Turn.FOLDED:
            block = np.bitwise_xor(block >> one, np.negative(block & one))
        elements[at : at + BLOCK] = block
    return elements


def _amounts(kind: np.dtype[np.unsignedinteger[Any]]) -> list[np.unsignedinteger[Any]]:
    """1, the bits of an element less 1, then the first bit of each plane."""
    bits = kind.itemsize * 8
    return [kind.type(amount) for amount in (1, bits - 1, *range(0, bits, 8))]

"""Elements taken apart into planes of equal significance, each entropy coded alone.

The exponents of weights take few values and the mantissas nearly all: apart, the former shrink to a third and the
latter cost nothing but a copy. Rotated left by a bit, a float has its exponent in a byte of its own (BF16, F32) or at
the top of one (F16), its sign beside the mantissa, which is as random. Integers near zero are folded to naturals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dr_lib.codecs import zstd_frame
from dr_lib.codecs.elements import Elements, read, unsigned
from dr_lib.codecs.layouts import Turn
from dr_lib.errors import IntegrityError

BLOCK: Final = 64 << 10
"""Elements that are taken apart at a time: what is held beside the planes stays in the processor's cache."""
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
        planes = [zstd_frame.shrink(plane.data) for plane in _split(elements, self.turn)]
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
    work, spare = np.empty((2, min(BLOCK, len(elements))), elements.dtype)
    for at in range(0, len(elements), BLOCK):
        source = elements[at : at + BLOCK]
        block = work[: len(source)]
        _turn(source, turn, block, spare[: len(source)])
        for plane in planes[:-1]:
            plane[at : at + BLOCK] = block  # the lowest byte of each
            np.right_shift(block, 8, out=block)
        planes[-1, at : at + BLOCK] = block
    return planes


def _join(planes: Sequence[NDArray[np.uint8]], turn: Turn) -> Elements:
    """The elements whose planes these are. Widening a plane and shifting it up is faster than to scatter its bytes."""
    count = len(planes[0])
    elements: Elements = np.empty(count, unsigned(len(planes)))
    room = np.empty(min(BLOCK, count), elements.dtype)
    for at in range(0, count, BLOCK):
        block = elements[at : at + BLOCK]
        spare = room[: len(block)]
        block[...] = planes[-1][at : at + BLOCK]
        for plane in reversed(planes[:-1]):
            spare[...] = plane[at : at + BLOCK]
            np.left_shift(block, 8, out=block)
            np.bitwise_or(block, spare, out=block)
        _turn_back(block, turn, spare)
    return elements


def _turn(source: Elements, turn: Turn, block: Elements, spare: Elements) -> None:
    """Put the turned elements of `source` into `block`; `spare` is room of the same size."""
    if turn is Turn.UPRIGHT:
        block[...] = source
        return
    np.left_shift(source, 1, out=block)
    np.right_shift(source, block.itemsize * 8 - 1, out=spare)
    if turn is Turn.ROTATED:
        np.bitwise_or(block, spare, out=block)
    else:
        np.negative(spare, out=spare)
        np.bitwise_xor(block, spare, out=block)


def _turn_back(block: Elements, turn: Turn, spare: Elements) -> None:
    """Undo `_turn` in place."""
    if turn is Turn.ROTATED:
        np.left_shift(block, block.itemsize * 8 - 1, out=spare)
        np.right_shift(block, 1, out=block)
        np.bitwise_or(block, spare, out=block)
    elif turn is Turn.FOLDED:
        np.bitwise_and(block, 1, out=spare)
        np.negative(spare, out=spare)
        np.right_shift(block, 1, out=block)
        np.bitwise_xor(block, spare, out=block)

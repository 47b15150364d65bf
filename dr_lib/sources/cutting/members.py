"""Where an archive is cut: long members alone, short ones bundled with what stands between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

from dr_lib.sources.cutting.spans import ALONE_BYTES

BUNDLE_BYTES: Final = 1 << 20
"""A bundle of short members ends before it grows longer than this."""
LEAST_BUNDLE: Final = 256 << 10
_CHANCE_BYTES: Final = 256 << 10
"""After the least, a bundle grows by about this much on average."""


@dataclass(frozen=True, slots=True)
class Member:
    """An archive's member with its header, from `start` to `end`. `body` of a long one: where its content lies.

    `key` is any bytes that go with the member wherever it stands; members of equal content have equal keys.
    """

    start: int
    end: int
    key: bytes
    body: tuple[int, int] | None = None


def is_long(length: int) -> bool:
    """Whether a content of `length` bytes gets frames of its own."""
    return length >= ALONE_BYTES


def marks(members: Iterable[Member]) -> Iterator[int]:
    """Offsets, ascending, at which frames begin; `members` ascend and do not overlap.

    Whether a bundle ends at a member is drawn from the member's own key and length, so that bundles fall into step
    again soon after a member was inserted or removed, wherever their members moved to.
    """
    opened = 0
    for member in members:
        filled = member.start - opened
        length = (member.end if member.body is None else member.body[0]) - member.start
        if filled and (filled + length > BUNDLE_BYTES or (filled >= LEAST_BUNDLE and _ends_bundle(member.key, length))):
            yield (opened := member.start)
        if member.body is not None:
            yield member.body[0]
            yield (opened := member.body[1])


def _ends_bundle(key: bytes, length: int) -> bool:
    drawn = int.from_bytes(blake3(key).digest(8), "little")
    return drawn * _CHANCE_BYTES < length << 64

"""Which keys a store accepts, and how they are ordered."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from dr_lib.errors import IntegrityError, Refused

LONGEST_KEY = 900
"""Bytes of UTF-8."""


class Keyed(Protocol):
    """What stands under a key."""

    @property
    def key(self) -> str:
        """The key."""
        ...


K = TypeVar("K", bound=Keyed)


def check_key(key: str, label: str) -> str:
    """`key` itself, or `Refused` when it is not a relative path of plain parts (which could escape a directory)."""
    parts = key.split("/")
    unprintable = any(ord(character) < 0x20 or character == "\x7f" for character in key)
    if unprintable or any(part in ("", ".", "..") for part in parts):
        raise Refused(f"not a key: {key!r}", where=label)
    if len(encoded(key)) > LONGEST_KEY:
        raise Refused(f"the key is longer than {LONGEST_KEY} bytes: {key[:40]!r}…", where=label)
    return key


def encoded(key: str) -> bytes:
    """The bytes that decide the order of keys; text that came from undecodable bytes gives those bytes back."""
    return key.encode("utf-8", "surrogateescape")


def check_length(data: bytes, expected: int, *, key: str, label: str) -> bytes:
    """`data` itself, or `IntegrityError` when it is not `expected` bytes long."""
    if len(data) != expected:
        what = f"object {key!r} gave {len(data)} bytes where {expected} were asked for"
        raise IntegrityError(what, where=label, hint="verify the copy; restore from another region")
    return data


def check_range(size: int, start: int, length: int, *, key: str, label: str) -> None:
    """`IntegrityError` when an object of `size` bytes ends before `start + length`."""
    if start + length > size:
        what = f"object {key!r} ends at byte {size}, before byte {start + length}"
        raise IntegrityError(what, where=label, hint="verify the copy; restore from another region")


def in_key_order(found: Iterable[K], prefix: str) -> Iterator[K]:
    """`found` in ascending byte order of the keys, for listings ordered by key or by path component.

    Some S3 servers walk a tree, and so give `a/b` before `a-b`. What could still be preceded is held back: at most
    the objects below one first path component under `prefix`. A flat listing is passed on at once.
    """
    root = len(prefix.rpartition("/")[0]) + 1 if "/" in prefix else 0
    held: list[tuple[bytes, int, K]] = []
    for serial, info in enumerate(found):
        first = info.key[root:].partition("/")[0]
        # Whatever follows starts with this component or sorts after it, so nothing can precede it any more.
        bound = encoded(info.key[:root] + first)
        heapq.heappush(held, (encoded(info.key), serial, info))
        while held and held[0][0] <= bound:
            yield heapq.heappop(held)[2]
    while held:
        yield heapq.heappop(held)[2]

"""Cuts tar archives (ustar, pax, GNU; webdataset shards) at their members.

Format: POSIX.1-2017 pax, "ustar Interchange Format", and GNU's base-256 numbers. Only what says where the next header
stands is read: names and owners are the content's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange
from dr_lib.sources.cutting.members import Member, is_long, marks
from dr_lib.sources.cutting.spans import OddBytes, between

BLOCK: Final = 512
MAX_WALKED: Final = 512 << 20
"""Bytes read for headers at most; what stands after them is cut at a fixed length."""
_WINDOW, _WIDE_WINDOW, _NEAR = 16 << 10, 1 << 20, 64 << 10
_NO_CONTENT = b"123456"
"""Links, devices, directories and fifos: whatever size they state, no content follows."""
_PAX, _PAX_GLOBAL = b"x", b"g"
_PAX_SIZE = re.compile(rb"(?:^|\n)\d{1,20} size=(\d{1,19})\n")


def is_tar(head: bytes) -> bool:
    """Whether a file that begins with these 512 bytes is worth a walk."""
    return head[257:262] == b"ustar" and _content_bytes(head) is not None


def cut(read: ReadRange, size: int) -> FileCut:
    """The cut of a tar archive, as far as its headers go. Raises `OddBytes`, and what `read` raises.

    Reads windows of 16 KiB at headers that stand apart, of 1 MiB where they stand close.
    """
    return FileCut(between(marks(_members(_Headers(read, size), size)), size), ())


def _members(headers: _Headers, size: int) -> Iterator[Member]:
    """All members, and what follows the last as one more."""
    at, stated = 0, None
    while (header := headers.take(at, BLOCK)) and (length := _content_bytes(header)) is not None:
        length = length if stated is None else stated
        end = at + BLOCK + -(-length // BLOCK) * BLOCK
        if end > size:
            break
        yield Member(at, end, header, (at + BLOCK, end) if is_long(length) else None)
        stated = _pax_size(headers, header, at + BLOCK, length, stated)
        at = end
    if at == 0:
        raise OddBytes("no tar header")
    yield Member(at, size, b"")


def _content_bytes(header: bytes) -> int | None:
    """Bytes that the header's content takes; None when this is no header."""
    if len(header) != BLOCK or _octal(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        return None
    return 0 if header[156:157] in _NO_CONTENT else _number(header[124:136])


def _number(field: bytes) -> int | None:
    return int.from_bytes(field[1:], "big") if field[0] == 0x80 else _octal(field)


def _octal(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", digits):
        return None
    return int(digits or b"0", 8)


def _pax_size(headers: _Headers, header: bytes, start: int, length: int, stated: int | None) -> int | None:
    """The size that a pax header states for the member after it, which that one's own field may be too short for."""
    kind = header[156:157]
    if kind == _PAX_GLOBAL:
        return stated
    if kind != _PAX or length > _WINDOW:
        return None
    found = _PAX_SIZE.search(headers.take(start, length))
    return int(found[1]) if found else None


class _Headers:
    """Bytes of a file near to where the last ones were, with few reads and within `MAX_WALKED`."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self._read, self._size = read, size
        self._start, self._data = 0, b""
        self._left = MAX_WALKED

    def take(self, at: int, length: int) -> bytes:
        """`length` bytes at `at`, at most `_WINDOW`; none when they are not there or too much was read already."""
        if at + length > self._size:
            return b""
        if not self._start <= at <= at + length <= self._start + len(self._data) and not self._move(at):
            return b""
        return self._data[at - self._start : at - self._start + length]

    def _move(self, at: int) -> bool:
        near = bool(self._data) and at - (self._start + len(self._data)) < _NEAR
        wanted = min(_WIDE_WINDOW if near else _WINDOW, self._size - at)
        if wanted > self._left:
            return False
        self._left -= wanted
        self._start, self._data = at, self._read(at, wanted)
        return True

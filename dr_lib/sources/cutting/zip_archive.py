"""Cuts zip archives at their members: torch.save's `.pt`, `.npz`, `.keras`. Nothing in them is unpickled or inflated.

Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3 to 4.5. The directory at the end is
read by `zipfile`; the local headers of long members are read for where the content begins, as torch pads them so
that contents are aligned. The frames of a long content begin there, so that a storage that did not change is the
same frames in the next checkpoint.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange
from dr_lib.sources.cutting.members import Member, is_long, marks
from dr_lib.sources.cutting.spans import OddBytes, between

MAGIC: Final = b"PK\x03\x04"
MAX_DIRECTORY_BYTES: Final = 16 << 20
"""Longest directory that is read: some 200,000 members."""
_LOCAL_BYTES: Final = 30
_REFUSALS = (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError, OverflowError, MemoryError)


def cut(read: ReadRange, size: int) -> FileCut:
    """The cut of a zip archive. Raises `OddBytes`, and what `read` raises.

    Reads the directory, and 30 bytes for each member of 1 MiB or more.
    """
    infos, directory = _directory(read, size)
    return FileCut(between((*marks(_members(infos, directory, read)), directory), size), ())


def _directory(read: ReadRange, size: int) -> tuple[list[zipfile.ZipInfo], int]:
    """The members in the order of their headers, and where the directory begins."""
    view = _ReadOnly(read, size)
    try:
        with zipfile.ZipFile(view) as archive:
            infos, start = archive.infolist(), archive.start_dir
    except _REFUSALS as error:
        if view.failure is not None:
            raise view.failure from None
        raise OddBytes(f"no zip directory: {error}") from error
    return sorted(infos, key=lambda info: info.header_offset), start


def _members(infos: list[zipfile.ZipInfo], directory: int, read: ReadRange) -> Iterator[Member]:
    ends = [*(info.header_offset for info in infos[1:]), directory]
    for info, end in zip(infos, ends, strict=False):
        start = info.header_offset
        if not 0 <= start <= start + _LOCAL_BYTES + info.compress_size <= end:
            raise OddBytes("members overlap")
        key = f"{info.filename}\n{info.CRC}\n{info.file_size}".encode("utf-8", "surrogatepass")
        body = _body(info, end, read) if is_long(info.compress_size) else None
        yield Member(start, end, key, body)


def _body(info: zipfile.ZipInfo, end: int, read: ReadRange) -> tuple[int, int]:
    header = read(info.header_offset, _LOCAL_BYTES)
    if not header.startswith(MAGIC):
        raise OddBytes("a member has no local header")
    name, extra = struct.unpack_from("<HH", header, 26)
    start = info.header_offset + _LOCAL_BYTES + name + extra
    if start + info.compress_size > end:
        raise OddBytes("a member's content overlaps the next one")
    return start, start + info.compress_size


class _ReadOnly:
    """A file of which only ranges can be had, as `zipfile` wants it; reads no more than a directory may take."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self._ranges, self._size, self._at = read, size, 0
        self.failure: Exception | None = None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if not 0 <= base + offset <= self._size:
            raise OSError("outside the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, length: int | None = -1) -> bytes:
        rest = self._size - self._at
        wanted = rest if length is None or length < 0 else min(length, rest)
        if wanted > MAX_DIRECTORY_BYTES:
            raise OSError("the directory is too long")
        try:
            data = self._ranges(self._at, wanted)
        except Exception as error:
            self.failure = error
            raise
        self._at += wanted
        return data

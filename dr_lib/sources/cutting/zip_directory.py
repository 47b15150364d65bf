"""The directory of one zip archive: what its members are and where they lie. Nothing is inflated.

Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT sections 4.3 to 4.5. The directory at the end is
read by `zipfile`; the local headers of long members are read for where the content begins.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dr_lib.sources.base import ReadRange
from dr_lib.sources.cutting.members import is_long
from dr_lib.sources.cutting.spans import OddBytes

MAGIC: Final = b"PK\x03\x04"
MAX_DIRECTORY_BYTES: Final = 16 << 20
"""Longest directory that is read: some 200,000 members."""
_LOCAL_BYTES: Final = 30
_AROUND: Final = 8 << 10
_REFUSALS = (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError, OverflowError, MemoryError)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member with its header, from `start` to `end` of the file. `body` of a long one: where its content lies."""

    info: zipfile.ZipInfo
    start: int
    end: int
    body: tuple[int, int] | None

    @property
    def key(self) -> bytes:
        """Equal for members of equal content."""
        return f"{self.info.filename}\n{self.info.CRC}\n{self.info.file_size}".encode("utf-8", "surrogatepass")

    @property
    def is_stored(self) -> bool:
        """Whether the content lies there as it is: neither compressed nor encrypted."""
        return self.info.compress_type == zipfile.ZIP_STORED and not self.info.flag_bits & 1


@dataclass(frozen=True, slots=True)
class Archive:
    """`entries` by offset, from `start` to `directory`; the directory goes on to `end`."""

    start: int
    directory: int
    end: int
    entries: tuple[Entry, ...]


class Near:
    """Ranges of a file that stand close to the last ones, with few reads: each also takes in 8 KiB on both sides."""

    def __init__(self, read: ReadRange, size: int) -> None:
        """`read` is asked for nothing outside 0 to `size`."""
        self._read, self._size = read, size
        self._start, self._data = 0, b""

    def __call__(self, offset: int, length: int) -> bytes:
        """A `ReadRange`."""
        if not self._start <= offset <= offset + length <= self._start + len(self._data):
            self._start = max(0, offset - _AROUND)
            self._data = self._read(self._start, min(self._size, offset + length + _AROUND) - self._start)
        return self._data[offset - self._start : offset - self._start + length]


def read_archive(read: ReadRange, end: int) -> Archive:
    """The archive whose directory ends at `end`. Raises `OddBytes`, and what `read` raises.

    Reads the directory, and 30 bytes for each member of 1 MiB or more.
    """
    view = _ReadOnly(read, end)
    try:
        with zipfile.ZipFile(view) as archive:
            infos, directory = archive.infolist(), archive.start_dir
    except _REFUSALS as error:
        if view.failure is not None:
            raise view.failure from None
        raise OddBytes(f"no zip directory: {error}") from error
    infos = sorted(infos, key=lambda info: info.header_offset)
    start = infos[0].header_offset if infos else directory
    return Archive(start, directory, end, tuple(_entries(infos, directory, read)))


def content(entry: Entry, read: ReadRange) -> tuple[int, int]:
    """Where the content of any member lies; reads 30 bytes. Raises `OddBytes`, and what `read` raises."""
    header = read(entry.start, _LOCAL_BYTES)
    if not header.startswith(MAGIC):
        raise OddBytes("a member has no local header")
    name, extra = struct.unpack_from("<HH", header, 26)
    start = entry.start + _LOCAL_BYTES + name + extra
    if start + entry.info.compress_size > entry.end:
        raise OddBytes("a member's content overlaps the next one")
    return start, start + entry.info.compress_size


def _entries(infos: list[zipfile.ZipInfo], directory: int, read: ReadRange) -> Iterator[Entry]:
    ends = [*(info.header_offset for info in infos[1:]), directory]
    for info, end in zip(infos, ends, strict=False):
        start = info.header_offset
        if not 0 <= start <= start + _LOCAL_BYTES + info.compress_size <= end:
            raise OddBytes("members overlap")
        entry = Entry(info, start, end, None)
        yield Entry(info, start, end, content(entry, read)) if is_long(info.compress_size) else entry


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

"""What a backup needs of the thing it reads: a listing that can be compared, and exact ranges of bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dr_lib.model.manifest import DirectoryEntry, LinkEntry


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A regular file as listed. `tag` differs whenever the content may differ (inode and ctime; an S3 ETag).

    `path` and `mode` as in `FileEntry`.
    """

    path: str
    mode: int
    mtime_ns: int
    size: int
    tag: str


@dataclass(frozen=True, slots=True)
class SourceListing:
    """The source at one moment. Each tuple is sorted by path; equal listings mean that nothing moved."""

    files: tuple[SourceFile, ...]
    directories: tuple[DirectoryEntry, ...]
    links: tuple[LinkEntry, ...]


class Source(Protocol):
    """An asset's live tree. Safe to read from many threads."""

    @property
    def url(self) -> str:
        """Where it lives, for people and for the manifest; never with a secret in it."""
        ...

    def listing(self) -> SourceListing:
        """Everything there is now. `NotFound` when the source does not exist, `SourceUnstable` when it cannot be
        described (a socket, a link that leads outside, a name that no tree can hold).
        """
        ...

    def read(self, file: SourceFile, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; `SourceUnstable` when the file is gone, shorter or not the one that was listed."""
        ...


ReadRange = Callable[[int, int], bytes]
"""`read(offset, length)` of one file: exactly `length` bytes."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file that become one frame. `dtype` (a safetensors name) is set when all are of one tensor type."""

    offset: int
    length: int
    dtype: str | None = None


@dataclass(frozen=True, slots=True)
class TensorSpan:
    """A tensor inside a file, from `offset` on; `length` bytes, 0 for a tensor without elements."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class FileCut:
    """How a file is cut: `spans` cover bytes 0 to size exactly and in order; `tensors` are sorted by offset, then name.

    Deterministic in the file's bytes alone, so that two workers cut alike and versions share frames.
    """

    spans: tuple[Span, ...]
    tensors: tuple[TensorSpan, ...]

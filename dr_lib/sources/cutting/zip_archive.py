"""Cuts zip archives at their members: torch.save's `.pt`, `.npz`, `.keras`, and archives one behind the other.

Nothing in them is unpickled or inflated. The frames of a long content begin where it does, so that a storage that did
not change is the same frames in the next checkpoint. A distributed checkpoint's `.distcp` is one archive a tensor;
they are found from the end, as each one's directory says where it begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from dr_lib.sources.base import FileCut, ReadRange, TensorSpan
from dr_lib.sources.cutting import npy
from dr_lib.sources.cutting.members import Member, marks
from dr_lib.sources.cutting.spans import Block, OddBytes, between, typed
from dr_lib.sources.cutting.torch_archive import look_into
from dr_lib.sources.cutting.zip_directory import MAGIC, Archive, Near, read_archive

__all__ = ["MAGIC", "cut"]

MOST_ARCHIVES: Final = 20_000


def cut(read: ReadRange, size: int) -> FileCut:
    """The cut of a zip archive, or of several in a row. Raises `OddBytes`, and what `read` raises.

    Reads the directory, 30 bytes for each member of 1 MiB or more (of an `.npz`, its header too), and the pickle of a
    torch checkpoint, for the dtypes of its storages. The tensors are those of a checkpoint that is one flat dict.
    """
    near = Near(read, size)
    archives: list[Archive] = []
    blocks: list[Block] = []
    tensors: tuple[TensorSpan, ...] = ()
    for archive in _archives(near, size):
        archives.insert(0, archive)
        found, tensors = look_into(archive, near)
        blocks += found or _arrays(archive, near)
    spans = between((*marks(_members(archives)), archives[-1].directory), size)
    alone = len(archives) == 1 and archives[0].start == 0
    return FileCut(typed(spans, sorted(blocks, key=lambda block: block.start)), tensors if alone else ())


def _archives(read: ReadRange, end: int) -> Iterator[Archive]:
    """From the last to the first, as far as they can be read; `OddBytes` when not even the last one can."""
    for number in range(MOST_ARCHIVES):
        try:
            archive = read_archive(read, end)
        except OddBytes:
            if number:
                return
            raise
        yield archive
        end = archive.start
        if end == 0:
            return


def _members(archives: list[Archive]) -> Iterator[Member]:
    for archive in archives:
        for entry in archive.entries:
            yield Member(entry.start, entry.end, entry.key, entry.body)
        yield Member(archive.directory, archive.end, b"".join(entry.key for entry in archive.entries))


def _arrays(archive: Archive, read: ReadRange) -> Iterator[Block]:
    """The numbers of long arrays that numpy stored as they are."""
    for entry in archive.entries:
        if entry.body is None or not entry.is_stored or not entry.info.filename.endswith(".npy"):
            continue
        start, end = entry.body
        try:
            spans = npy.cut(partial(_within, read, start), end - start).spans
        except OddBytes:
            continue
        yield from (Block(start + span.offset, end, span.dtype) for span in spans[:2] if span.dtype)


def _within(read: ReadRange, base: int, offset: int, length: int) -> bytes:
    return read(base + offset, length)

"""Writing outputs into the staging directory: small files whole when their frame comes, large ones piece by piece."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from dr_lib.policy.restore_plan import RangeFetch, Write
from dr_lib.workflows.restore.output import Output

_WRITING: Final = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
PRIVATE: Final = 0o600
_TURNS: Final = 16


@dataclass(frozen=True, slots=True)
class Placing:
    """A sink that writes frames at their final offsets below `root`, whose directories exist. Safe to repeat."""

    root: Path
    outputs: Sequence[Output]
    _turns: Sequence[threading.Lock] = field(
        default_factory=lambda: tuple(threading.Lock() for _ in range(_TURNS)), repr=False, compare=False
    )
    """Writers of one file take turns: in the kernel they would wait for each other too, but spinning on a core."""

    def reserve(self, number: int, *, afresh: bool = False) -> None:
        """Make an output at its full length, private, as a hole; one that needs no frame is made whole.

        What is there already keeps its bytes, unless it is made `afresh`.
        """
        output = self.outputs[number]
        if not output.pieces:
            _create(self.path(number), output.head, output)
        elif not output.at_once:
            self._reserve(self.path(number), output, 0 if afresh else output.size)

    def take(self, fetch: RangeFetch, raws: Iterator[bytes]) -> None:
        """See `Sink.take`. Writes to one file are made through one descriptor where they follow each other."""
        with _Descriptors() as open_files:
            for use, raw in zip(fetch.frames, raws, strict=True):
                for write in use.writes:
                    self._write(open_files, write, raw)

    def path(self, number: int) -> str:
        """Where an output lies."""
        return f"{self.root}/{self.outputs[number].path}"

    def _write(self, open_files: _Descriptors, write: Write, raw: bytes) -> None:
        output = self.outputs[write.output]
        if output.at_once:
            _create(self.path(write.output), raw, output)
            return
        data = raw if write.end - write.start == len(raw) else raw[write.start : write.end]
        if not _is_hole(data):
            with self._turns[write.output % _TURNS]:
                _pwrite(open_files.of(self.path(write.output)), write.offset, data)

    def _reserve(self, path: str, output: Output, kept: int) -> None:
        try:
            descriptor = os.open(path, _WRITING | os.O_CREAT | os.O_EXCL, PRIVATE)
        except FileExistsError:
            descriptor = os.open(path, _WRITING)
        try:
            os.ftruncate(descriptor, kept)
            os.ftruncate(descriptor, output.size)
            if output.head:
                _pwrite(descriptor, 0, output.head)
        finally:
            os.close(descriptor)


class _Descriptors:
    """The file that was written to last, kept open. A context manager."""

    def __init__(self) -> None:
        self._path = ""
        self._descriptor = -1

    def of(self, path: str) -> int:
        """A descriptor of that file, good until the next call."""
        if path != self._path:
            self._close()
            self._descriptor = os.open(path, _WRITING)
            self._path = path
        return self._descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor, self._path = -1, ""


def _create(path: str, data: bytes, output: Output) -> None:
    """A file with all that it will ever have: bytes, mode, time."""
    try:
        descriptor = os.open(path, _WRITING | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        Path(path).unlink()  # a try before this one made it
        descriptor = os.open(path, _WRITING | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        if _is_hole(data):
            os.ftruncate(descriptor, len(data))
        else:
            _pwrite(descriptor, 0, data)
        os.fchmod(descriptor, output.mode)
        os.utime(descriptor, ns=(output.mtime_ns, output.mtime_ns))
    finally:
        os.close(descriptor)


def _is_hole(data: bytes) -> bool:
    """A hole reads as these zeros and takes no space."""
    return not data.strip(b"\0")


def _pwrite(descriptor: int, offset: int, raw: bytes) -> None:
    view = memoryview(raw)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written

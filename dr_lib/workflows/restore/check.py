"""Checking what was written: files are read back while others are still being fetched, and none is read twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from blake3 import blake3

from dr_lib.policy.restore_plan import RangeFetch
from dr_lib.workflows.restore.output import Check, Output

READ_BYTES: Final = 1 << 20
CHECKERS: Final = 2


@dataclass(slots=True)
class _Trail:
    """How far one file is written without a gap, and how far it was read back."""

    checks: Sequence[Check]
    written: int
    read: int = 0
    at: int = 0
    wrong: str | None = None
    reading: bool = False
    ahead: dict[int, int] = field(default_factory=dict)
    hasher: blake3 = field(default_factory=blake3)

    def wrote(self, start: int, end: int) -> None:
        """These bytes are written, once."""
        self.ahead[start] = end
        while self.written in self.ahead:
            self.written = self.ahead.pop(self.written)

    def due(self) -> tuple[int, int]:
        """The next bytes to read and hash, from and to; equal when nothing is due."""
        if self.at == len(self.checks):
            return 0, 0
        check = self.checks[self.at]
        start = max(self.read, check.offset)
        return start, max(start, min(self.written, check.offset + check.length, start + READ_BYTES))

    def hashed(self, end: int) -> None:
        """The hasher has all up to `end`."""
        self.read = end
        check = self.checks[self.at]
        if end == check.offset + check.length:
            if self.hasher.digest() != check.digest and self.wrong is None:
                self.wrong = check.what
            self.hasher, self.at = blake3(), self.at + 1


class Checker:
    """Reads outputs back from `path(number)` as far as they are written and compares their digests.

    A context manager: leaving it ends its threads. Each check has at least a byte.
    """

    def __init__(self, path: Callable[[int], str], outputs: Sequence[Output], numbers: Iterable[int]) -> None:
        """Only the outputs of those `numbers` are checked."""
        self._path = path
        self._lock = threading.Lock()
        self._trails = {number: _Trail(outputs[number].checks, len(outputs[number].head)) for number in numbers}
        self._pool = ThreadPoolExecutor(CHECKERS, "dr-check")
        self._jobs: list[Future[None]] = []

    def wrote(self, fetch: RangeFetch) -> None:
        """All of a range was written: goes on reading where that closed a gap."""
        with self._lock:
            touched = set()
            for use in fetch.frames:
                for write in use.writes:
                    trail = self._trails.get(write.output)
                    if trail is not None:
                        trail.wrote(write.offset, write.offset + write.end - write.start)
                        touched.add(write.output)
            self._begin(touched)

    def wrong(self) -> dict[int, str]:
        """After all was written: the outputs that are not what they should be, and what of them."""
        for job in self._jobs:
            job.result()
        unread = {n: "the restore" for n, trail in self._trails.items() if trail.at < len(trail.checks)}
        return unread | {number: trail.wrong for number, trail in self._trails.items() if trail.wrong is not None}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _begin(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            trail = self._trails[number]
            start, end = trail.due()
            if not trail.reading and start < end:
                trail.reading = True
                self._jobs.append(self._pool.submit(self._read_on, number))

    def _read_on(self, number: int) -> None:
        trail, buffer = self._trails[number], bytearray(READ_BYTES)
        with Path(self._path(number)).open("rb", buffering=0) as file:
            while True:
                with self._lock:
                    start, end = trail.due()
                    trail.reading = start < end
                    if not trail.reading:
                        return
                file.seek(start)
                count = file.readinto(memoryview(buffer)[: end - start])
                if not count:
                    return  # shorter than it was made: `wrong` finds it unread
                trail.hasher.update(memoryview(buffer)[:count])
                with self._lock:
                    trail.hashed(start + count)

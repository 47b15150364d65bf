"""What bounds a restore in flight: bytes in memory, and requests at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from dr_lib.clock import monotonic
from dr_lib.policy.streams import Pace, next_pace

MEMORY: Final = 192 << 20
"""Bytes of ranges that a restore holds at a time. Decoding adds 16 MiB a core, the libraries about 130 MB: together
they stay below 600 MB, whatever is restored and however many streams there are."""


class ByteBudget:
    """A semaphore of bytes. One that asks for more than all of it gets its turn alone."""

    def __init__(self, total: int) -> None:
        """`total` in bytes."""
        self._total = total
        self._free = threading.Condition()
        self.held = 0
        self.peak = 0

    @contextmanager
    def hold(self, count: int) -> Iterator[None]:
        """Wait until `count` bytes are free, and take them for the block."""
        with self._free:
            self._free.wait_for(lambda: self.held == 0 or self.held + count <= self._total)
            self.held += count
            self.peak = max(self.peak, self.held)
        try:
            yield
        finally:
            with self._free:
                self.held -= count
                self._free.notify_all()


class Streams:
    """Requests in flight, as many as `next_pace` says after each window of as many answers."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        """`now` gives seconds of which only differences count."""
        self._now = now
        self._turn = threading.Condition()
        self._active = 0
        self._answers = 0
        self._bytes = 0
        self._since: float | None = None
        self.pace = Pace()

    @contextmanager
    def one(self, length: int) -> Iterator[None]:
        """Wait for a turn to ask for `length` bytes; the block is the request."""
        with self._turn:
            self._turn.wait_for(lambda: self._active < self.pace.streams)
            self._active += 1
            self._since = self._now() if self._since is None else self._since
        try:
            yield
        except BaseException:
            length = 0
            raise
        finally:
            with self._turn:
                self._active -= 1
                self._count(length)
                self._turn.notify_all()

    def _count(self, length: int) -> None:
        self._answers += 1
        self._bytes += length
        seconds = self._now() - (self._since or 0.0)
        if self._answers >= self.pace.streams and seconds > 0:
            self.pace = next_pace(self.pace, self._bytes / seconds)
            self._answers = self._bytes = 0
            self._since = self._now()


class Bound:
    """Whether the link or this machine holds a restore up, from moment to moment.

    Fetching and decoding overlap. While every slot for decoding is taken, or nothing is being fetched, more of the link
    would bring nothing: that time is decoding's. While something is being fetched and slots are free it is fetching's.
    """

    def __init__(self, slots: int, now: Callable[[], float] = monotonic) -> None:
        """`slots` is how much is decoded at a time; `now` as in `Streams`."""
        self._slots = slots
        self._now = now
        self._lock = threading.Lock()
        self._fetching = 0
        self._decoding = 0
        self._last = now()
        self.fetch_s = 0.0
        self.decode_s = 0.0

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """The block waits for the link."""
        self._turn(1, 0)
        try:
            yield
        finally:
            self._turn(-1, 0)

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """The block decodes and writes."""
        self._turn(0, 1)
        try:
            yield
        finally:
            self._turn(0, -1)

    def _turn(self, fetching: int, decoding: int) -> None:
        with self._lock:
            now = self._now()
            if self._decoding >= self._slots or (self._decoding and not self._fetching):
                self.decode_s += now - self._last
            elif self._fetching:
                self.fetch_s += now - self._last
            self._last = now
            self._fetching += fetching
            self._decoding += decoding

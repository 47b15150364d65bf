"""A wrapper that keeps to a rate of bytes a second, on average."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

from dr_lib.clock import monotonic
from dr_lib.storage.base import ContainerStore, ObjectInfo

Rate = Callable[[], float | None]
"""Bytes a second in force now; None: as fast as it goes."""


def wait(seconds: float) -> None:
    """Let that time pass for this thread."""
    threading.Event().wait(seconds)


class Pace:
    """A budget of bytes that fills at a rate and is shared by all who take from it. Thread-safe.

    Whoever takes more than there is waits until it has filled, one after the other; what was not taken is not saved
    up. So the average holds over any stretch that is longer than the largest piece needs: an object of 64 MiB at 1 MB/s
    goes out at once, and the next one 67 seconds later. A rate that changes counts from the next piece on.
    """

    def __init__(
        self, rate: Rate, *, now: Callable[[], float] = monotonic, pause: Callable[[float], None] = wait
    ) -> None:
        """`now` and `pause` count in the same seconds."""
        self._rate = rate
        self._now = now
        self._pause = pause
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count: int) -> None:
        """Wait until what was taken before is paid off, and take `count` bytes."""
        rate = self._rate()
        if rate is None:
            return
        with self._lock:
            now = self._now()
            begin = max(now, self._free_at)
            self._free_at = begin + count / rate
        if begin > now:
            self._pause(begin - now)


class ThrottledStore:
    """`inner` at no more than the upload's and the download's pace. Listings, heads and checks are free."""

    def __init__(self, inner: ContainerStore, *, upload: Pace, download: Pace) -> None:
        """Stores that are given the same pace share it."""
        self._inner = inner
        self._upload = upload
        self._download = download

    @property
    def label(self) -> str:
        """As `inner` is called."""
        return self._inner.label

    def check(self) -> None:
        """See `ObjectStore.check`."""
        self._inner.check()

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """See `ContainerStore.ensure_container`."""
        return self._inner.ensure_container(lock_mode=lock_mode, lock_days=lock_days)

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """See `ObjectStore.create`."""
        self._upload.take(memoryview(data).nbytes)
        self._inner.create(key, data)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`; its size is known, and taken, only when it is there."""
        self._download.take(0)
        data = self._inner.get(key)
        self._download.take(len(data))
        return data

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.get_range`."""
        self._download.take(length)
        return self._inner.get_range(key, start, length)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return self._inner.head(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        return self._inner.list(prefix)

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`."""
        return self._inner.locked_until(key)

    def lock(self, key: str, until: datetime) -> None:
        """See `LockingStore.lock`."""
        self._inner.lock(key, until)

"""A wrapper that counts what was asked of a store: for tests that promise how little is read or written."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from dr_lib.storage.base import ObjectInfo, ObjectStore
from dr_lib.storage.locking import locking


class CountingStore:
    """`inner`, with `calls` by method name and the bytes that `create` stored and the reads gave. Thread-safe.

    A call counts when it is made; bytes count when it succeeded.
    """

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.bytes_written = 0
        self.bytes_read = 0

    @property
    def label(self) -> str:
        """As `inner` is called."""
        return self._inner.label

    def check(self) -> None:
        """See `ObjectStore.check`."""
        self._count("check")
        self._inner.check()

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """See `ObjectStore.create`."""
        self._count("create")
        self._inner.create(key, data)
        with self._lock:
            self.bytes_written += memoryview(data).nbytes

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        self._count("get")
        return self._read(self._inner.get(key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.get_range`."""
        self._count("get_range")
        return self._read(self._inner.get_range(key, start, length))

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        self._count("head")
        return self._inner.head(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`; one call however far it is walked."""
        self._count("list")
        return self._inner.list(prefix)

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`; `Refused` where `inner` has no locks."""
        self._count("locked_until")
        return locking(self._inner).locked_until(key)

    def lock(self, key: str, until: datetime) -> None:
        """See `LockingStore.lock`; `Refused` where `inner` has no locks."""
        self._count("lock")
        locking(self._inner).lock(key, until)

    def _count(self, name: str) -> None:
        with self._lock:
            self.calls[name] += 1

    def _read(self, data: bytes) -> bytes:
        with self._lock:
            self.bytes_read += len(data)
        return data

"""A wrapper that can only read: what a drill and a verification get, so that neither can change what it judges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dr_lib.errors import Refused
from dr_lib.storage.base import ObjectInfo, ObjectStore
from dr_lib.storage.locking import locking


class ReadOnlyStore:
    """`inner` without `create`, which is `Refused` before anything is asked of `inner`."""

    def __init__(self, inner: ObjectStore) -> None:
        self._inner = inner

    @property
    def label(self) -> str:
        """As `inner` is called."""
        return self._inner.label

    def check(self) -> None:
        """See `ObjectStore.check`."""
        self._inner.check()

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:  # noqa: ARG002 - the contract's signature
        """Always `Refused`."""
        raise Refused(f"this store was opened for reading; object {key!r} was not created", where=self.label)

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        return self._inner.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.get_range`."""
        return self._inner.get_range(key, start, length)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return self._inner.head(key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        return self._inner.list(prefix)

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`; `Refused` where `inner` has no locks."""
        return locking(self._inner).locked_until(key)

    def lock(self, key: str, until: datetime) -> None:  # noqa: ARG002 - the contract's signature
        """Always `Refused`."""
        raise Refused(f"this store was opened for reading; object {key!r} was not locked", where=self.label)

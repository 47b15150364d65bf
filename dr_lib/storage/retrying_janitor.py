"""Retries for what only the janitor may do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count

from dr_lib.errors import AlreadyExists, Refused
from dr_lib.storage.base import BuryingStore, ObjectVersion, RegionJanitor
from dr_lib.storage.retrying import ATTEMPTS, SECONDS, Position, RetryingStore


class RetryingJanitor(RetryingStore):
    """`inner`, a janitor's store, with `StoreUnavailable` retried as in `RetryingStore`."""

    def __init__(self, inner: RegionJanitor, *, attempts: int = ATTEMPTS, seconds: float = SECONDS) -> None:
        """As `RetryingStore`."""
        super().__init__(inner, attempts=attempts, seconds=seconds)
        self._janitor = inner

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """See `JanitorStore.versions`. A listing that broke off goes on behind the last version it gave."""
        yield from self._steps(Position(lambda: self._janitor.versions(prefix), lambda one: one.version))

    def get_version(self, key: str, version: str) -> bytes:
        """See `JanitorStore.get_version`."""
        return self._call(lambda: self._janitor.get_version(key, version))

    def delete(self, key: str, version: str) -> None:
        """See `JanitorStore.delete`; one whose answer was lost finds the version gone."""
        self._call(lambda: self._janitor.delete(key, version))

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """See `JanitorStore.replace`; a later try that meets equal content has replaced it before."""
        tries = count()

        def put() -> None:
            is_first = next(tries) == 0
            try:
                self._janitor.replace(key, data, tag)
            except AlreadyExists:
                if is_first or self._janitor.get(key) != data:
                    raise

        self._call(put)

    def bury(self, key: str) -> None:
        """See `BuryingStore.bury`; `Refused` (7) where `inner` has no such thing."""
        inner = self._janitor
        if not isinstance(inner, BuryingStore):
            raise Refused("drills delete nothing here", where=self.label, hint="leave `damage` out of its `rehearsal:`")
        self._call(lambda: inner.bury(key))

    def weaken(self, key: str, until: datetime) -> None:
        """See `RegionJanitor.weaken`."""
        self._call(lambda: self._janitor.weaken(key, until))

"""A store that holds what was written until its lock ends: an S3 bucket in compliance mode, for tests."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dr_lib.clock import Clock, utc_now
from dr_lib.errors import Refused
from dr_lib.storage.base import ObjectInfo, ObjectVersion, RegionJanitor
from dr_lib.storage.missing import key_missing


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of an object. `data` is None for the newest, whose bytes `inner` has."""

    id: str
    info: ObjectInfo
    locked_until: datetime | None
    data: bytes | None = None


class WormStore:
    """`inner` (a store without versions of its own), with locks and versions.

    store = WormStore(MemoryStore(), clock, days=30)

    Every object is locked from its creation for `days`, if any, by `clock`. A lock is of one version; anybody can
    extend it, and nobody shorten it; until it ends nobody can delete the version. `replace` leaves the old version,
    lock and all, below the new one; deleting the newest version brings back the one before it. What is known of locks
    and versions is lost with this object.
    """

    def __init__(self, inner: RegionJanitor, clock: Clock = utc_now, *, days: int | None = None) -> None:
        """`inner` is empty, or what is in it is not locked."""
        self._inner = inner
        self._clock = clock
        self._days = days
        self._lock = threading.RLock()
        self._serial = itertools.count(1)
        self._versions: defaultdict[str, list[_Version]] = defaultdict(list)

    @property
    def label(self) -> str:
        """As `inner` is called."""
        return self._inner.label

    def check(self) -> None:
        """See `ObjectStore.check`."""
        self._inner.check()

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """Make the container, whose default lock this then is; one that exists without it is `Refused`."""
        made = self._inner.ensure_container(lock_mode=None, lock_days=None)
        if not made and lock_mode is not None and self._days is None:
            raise Refused("this container exists and locks nothing", where=self.label, hint="name a new one")
        if made and lock_days is not None:
            self._days = lock_days
        return made

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """See `ObjectStore.create`; locked from the moment it is there."""
        with self._lock:
            self._inner.create(key, data)
            self._versions[key].append(self._new_version(key))

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
        """See `ObjectStore.list`; the newest versions."""
        return self._inner.list(prefix)

    def locked_until(self, key: str) -> datetime | None:
        """See `LockingStore.locked_until`; of the newest version."""
        with self._lock:
            return self._held(self._newest(key))

    def lock(self, key: str, until: datetime) -> None:
        """See `LockingStore.lock`. A moment before the end of the present lock changes nothing."""
        with self._lock:
            newest = self._newest(key)
            if newest.locked_until is None or newest.locked_until < until:
                self._versions[key][-1] = replace(newest, locked_until=until)

    def weaken(self, key: str, until: datetime) -> None:
        """Ask that the lock of the newest version end earlier: `Refused` (7) while it holds beyond that moment."""
        with self._lock:
            newest = self._newest(key)
            if (held := self._held(newest)) is not None and until < held:
                raise self._refused(key, "its lock cannot be shortened", held)
            self._versions[key][-1] = replace(newest, locked_until=until)

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """See `JanitorStore.versions`."""
        for info in self._inner.list(prefix):
            with self._lock:
                known = [*self._versions[info.key]] or [self._newest(info.key)]
            for number, one in enumerate(reversed(known)):
                facts = one.info
                yield ObjectVersion(
                    facts.key, one.id, facts.size, facts.modified_at, facts.tag, is_latest=number == 0, is_marker=False
                )

    def get_version(self, key: str, version: str) -> bytes:
        """See `JanitorStore.get_version`."""
        with self._lock:
            found = self._find(key, version)
            if found is None:
                raise key_missing(self.label, f"{key} in version {version}")
            return self._inner.get(key) if found.data is None else found.data

    def delete(self, key: str, version: str) -> None:
        """See `JanitorStore.delete`."""
        with self._lock:
            found = self._find(key, version)
            if found is None:
                return
            if (held := self._held(found)) is not None:
                raise self._refused(key, "it is locked", held)
            self._versions[key].remove(found)
            if found.data is None:
                self._inner.delete(key, self._inner.head(key).tag)
                self._bring_back(key)

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """See `JanitorStore.replace`. The lock of the old version stays with it and hinders nobody."""
        with self._lock:
            old = replace(self._newest(key), data=self._inner.get(key))
            self._inner.replace(key, data, tag)
            self._versions[key][-1:] = [old, self._new_version(key)]

    def _new_version(self, key: str) -> _Version:
        until = None if self._days is None else self._clock() + timedelta(days=self._days)
        return _Version(f"v{next(self._serial):06d}", self._inner.head(key), until)

    def _newest(self, key: str) -> _Version:
        info = self._inner.head(key)
        if not self._versions[key]:
            self._versions[key].append(_Version("v000000", info, None))
        return self._versions[key][-1]

    def _find(self, key: str, version: str) -> _Version | None:
        return next((one for one in self._versions[key] if one.id == version), None)

    def _held(self, version: _Version) -> datetime | None:
        until = version.locked_until
        return until if until is not None and until > self._clock() else None

    def _bring_back(self, key: str) -> None:
        if not self._versions[key]:
            return
        older = self._versions[key][-1]
        self._inner.create(key, older.data or b"")
        self._versions[key][-1] = replace(older, info=self._inner.head(key), data=None)

    def _refused(self, key: str, why: str, until: datetime) -> Refused:
        return Refused(f"object {key!r} stays as it is: {why}", where=self.label, hint=f"wait until {until:%F %R} UTC")

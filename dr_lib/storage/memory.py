"""A store in this process's memory: the plainest reading of the contract, for tests and examples."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dr_lib.clock import Clock, utc_now
from dr_lib.errors import AlreadyExists, Refused
from dr_lib.storage.base import ObjectInfo, ObjectVersion
from dr_lib.storage.keys import check_key, check_range, encoded
from dr_lib.storage.missing import container_missing, key_missing
from dr_lib.storage.unversioned import same_version, single_versions


@dataclass(frozen=True, slots=True)
class _Entry:
    data: bytes
    info: ObjectInfo


class MemoryStore:
    """Objects in a dict. Lost with the process; otherwise keeps every promise of `ObjectStore`."""

    def __init__(self, label: str = "memory", *, created: bool = True, clock: Clock = utc_now) -> None:
        """`created=False` gives a store whose container is still missing."""
        self.label = label
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] | None = {} if created else None

    def check(self) -> None:
        """`ContainerMissing` until the container was made."""
        self._existing()

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """Make the container; memory has no object lock, so asking for one is `Refused`."""
        if lock_mode is not None or lock_days is not None:
            raise Refused("memory has no object lock", where=self.label)
        with self._lock:
            missing = self._entries is None
            self._entries = {} if self._entries is None else self._entries
            return missing

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store a copy of `data`; `AlreadyExists` when the key is taken."""
        check_key(key, self.label)
        content = bytes(data)
        info = ObjectInfo(key, len(content), self._clock(), hashlib.sha256(content).hexdigest())
        with self._lock:
            if self._existing().setdefault(key, entry := _Entry(content, info)) is not entry:
                raise AlreadyExists(f"object {key!r} exists", where=self.label)

    def get(self, key: str) -> bytes:
        """Whole content of `key`."""
        return self._entry(key).data

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; `IntegrityError` when the object ends before that."""
        data = self.get(key)
        check_range(len(data), start, length, key=key, label=self.label)
        return data[start : start + length]

    def head(self, key: str) -> ObjectInfo:
        """Facts of one object."""
        return self._entry(key).info

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, as of the first step, in byte order of the keys."""
        with self._lock:
            found = [entry.info for key, entry in self._existing().items() if key.startswith(prefix)]
        yield from sorted(found, key=lambda info: encoded(info.key))

    def locked_until(self, key: str) -> datetime | None:
        """Always None: memory has no object lock."""
        self._entry(key)
        return None

    def lock(self, key: str, until: datetime) -> None:  # noqa: ARG002 - the contract's signature
        """Always `Refused`."""
        raise Refused("memory has no object lock", where=self.label)

    def weaken(self, key: str, until: datetime) -> None:  # noqa: ARG002 - the contract's signature
        """Always `Refused`."""
        raise Refused("memory has no object lock", where=self.label)

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """One version an object."""
        return single_versions(self.list(prefix))

    def get_version(self, key: str, version: str) -> bytes:
        """The object, when that is its version."""
        entry = self._entry(key)
        same_version(entry.info, version, self.label)
        return entry.data

    def delete(self, key: str, version: str) -> None:
        """Remove the object when that is its version."""
        with self._lock:
            entry = self._existing().get(key)
            if entry is not None and entry.info.tag == version:
                del self._existing()[key]

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """Put `data` in the place of the object that has this tag."""
        content = bytes(data)
        info = ObjectInfo(key, len(content), self._clock(), hashlib.sha256(content).hexdigest())
        with self._lock:
            if self._entry(key).info.tag != tag:
                raise AlreadyExists(f"object {key!r} has changed meanwhile", where=self.label)
            self._existing()[key] = _Entry(content, info)

    def _existing(self) -> dict[str, _Entry]:
        if self._entries is None:
            raise container_missing(self.label, "container")
        return self._entries

    def _entry(self, key: str) -> _Entry:
        check_key(key, self.label)
        entry = self._existing().get(key)
        if entry is None:
            raise key_missing(self.label, key)
        return entry

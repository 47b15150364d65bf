"""The one contract between the vault and whatever holds its objects.

A vault is write-once, so a store can create, read and list, and has no way to overwrite or delete. What the janitor
alone may do is a contract of its own. Every implementation passes `dr_lib.testing.store_contract.StoreContract`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One listed object: full key below the store's root, size in bytes, last change, and version tag.

    `tag` differs whenever the content differs (an S3 ETag; size and mtime elsewhere).
    """

    key: str
    size: int
    modified_at: datetime
    tag: str


class ObjectStore(Protocol):
    """Objects of one region, or of one asset's source.

    Keys are relative, `/`-separated, non-empty, at most 900 bytes of UTF-8. All calls are safe to use from many
    threads and to retry. Errors: `NotFound` (5) only when the store said so, `PermissionDenied` (7),
    `StoreUnavailable` (6) for everything that leaves the object's state unknown, `IntegrityError` (4) when fewer bytes
    arrive than were promised; each names `label`.
    """

    @property
    def label(self) -> str:
        """What a person calls this store in a message: `region us-east`."""
        ...

    def check(self) -> None:
        """Prove in seconds that the container exists and the credentials open it; raises as above."""
        ...

    def create(self, key: str, data: bytes | bytearray | memoryview) -> None:
        """Store `data` under `key`, durable on return, or raise `AlreadyExists` and touch nothing.

        Atomic: no reader ever sees a part. After `StoreUnavailable` the object may or may not exist: retry, and
        take `AlreadyExists` for success where the key is derived from the content.
        """
        ...

    def get(self, key: str) -> bytes:
        """Whole content of `key`."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start`; `IntegrityError` when the object ends before that."""
        ...

    def head(self, key: str) -> ObjectInfo:
        """Facts of one object."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, in ascending key order (by UTF-8 bytes), lazily."""
        ...


@runtime_checkable
class LockingStore(ObjectStore, Protocol):
    """A store whose objects can be locked: until then nobody, whatever the credentials, deletes or changes them."""

    def locked_until(self, key: str) -> datetime | None:
        """The moment until which `key` is locked, UTC; None when it is not. Always None where there are no locks."""
        ...

    def lock(self, key: str, until: datetime) -> None:
        """Lock `key` at least until then. Never shortens. `Refused` (7) where there are no locks."""
        ...


class ContainerStore(LockingStore, Protocol):
    """A region's store, whose container (bucket, directory) can be made. Only `drctl init` makes one."""

    def ensure_container(self, *, lock_mode: str | None, lock_days: int | None) -> bool:
        """Create the container when it is missing, with object lock when asked; True when it was created.

        Raises `Refused` when the container exists without the lock that was asked for.
        """
        ...


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object. `version` names it for `delete`; `is_marker`: it only says that the key was deleted.

    A store without versions has one a key, and `version` differs whenever its tag does.
    """

    key: str
    version: str
    size: int
    modified_at: datetime
    tag: str
    is_latest: bool
    is_marker: bool


class JanitorStore(LockingStore, Protocol):
    """What the janitor's credentials open: the only way to remove an object or to put another in its place."""

    def versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """Every version of every object whose key starts with `prefix`, in key order, newest first within a key."""
        ...

    def get_version(self, key: str, version: str) -> bytes:
        """Whole content of one version; `NotFound` when it is gone."""
        ...

    def delete(self, key: str, version: str) -> None:
        """Remove exactly this version; nothing happens when it is gone. `Refused` (7) when it is locked.

        Atomic; safe to retry. Works on a full store.
        """
        ...

    def replace(self, key: str, data: bytes | bytearray | memoryview, tag: str) -> None:
        """Put `data` in the place of the object that has this tag; `AlreadyExists` when it is another by now.

        Atomic. Where there are versions the old one stays below the new one; elsewhere it is gone.
        """
        ...


@runtime_checkable
class BuryingStore(Protocol):
    """A store in which a drill may do what somebody with its region's credentials would."""

    def bury(self, key: str) -> None:
        """Delete `key`, naming no version; nothing happens when it is gone. Atomic; safe to retry.

        Where there are versions a marker hides the object, which stays below it; elsewhere it is gone.
        """
        ...


class RegionJanitor(ContainerStore, JanitorStore, Protocol):
    """A region's store as its janitor opens it, with the question that `drctl init` asks to see whether locks hold."""

    def weaken(self, key: str, until: datetime) -> None:
        """Ask the server to end the lock of `key` earlier, which must be `Refused` (7): a question, not a wish."""
        ...

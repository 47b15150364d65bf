"""Stores that can lock, told from those that cannot."""

from __future__ import annotations

from dr_lib.errors import Refused
from dr_lib.storage.base import LockingStore, ObjectStore


def locking(store: ObjectStore) -> LockingStore:
    """The same store, which can lock; `Refused` for one that cannot."""
    if not isinstance(store, LockingStore):
        raise Refused("this store cannot lock objects", where=store.label, hint="leave `lock` out for this region")
    return store

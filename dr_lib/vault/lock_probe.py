"""Whether a store really keeps the locks that it gives: tried with an object of our own, never believed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dr_lib.errors import NotFound, PermissionDenied, Refused
from dr_lib.format import layout
from dr_lib.model.region import LockPolicy
from dr_lib.policy.locking import is_kept
from dr_lib.storage.base import LockingStore, RegionJanitor

TEXT: Final = b"The lock of this region was tried with this object. It may be deleted when its own lock has ended.\n"
DELETION: Final = "deletion"
SHORTENING: Final = "shortening"


@dataclass(frozen=True, slots=True)
class LockProof:
    """What became of the probe: what the server refused, as it must, what it let happen, and what could not be tried.

    `days` is how long the probe was locked from its creation, in whole days; None when it was not.
    """

    days: int | None
    refused: tuple[str, ...]
    broken: tuple[str, ...]
    untried: tuple[str, ...]


def probe_lock(store: LockingStore, attacker: RegionJanitor, lock: LockPolicy) -> LockProof:
    """Store an object, and try to delete it and to shorten its lock with the strongest credentials there are.

    The object stays, below `probes/`, until its lock ends. Raises `StoreUnavailable` when the server does not answer.
    """
    key = layout.probe_key(secrets.token_bytes(8))
    store.create(key, TEXT)
    created_at, until = store.head(key).modified_at, store.locked_until(key)
    days = None if until is None else round((until - created_at) / timedelta(days=1))
    if until is None or not is_kept(until, created_at, lock.days):
        return LockProof(days, (), ("what was just stored is not locked for as long as dr.yaml demands",), ())
    tried = {
        DELETION: _tried(lambda: _deleted(attacker, key)),
        SHORTENING: _tried(lambda: _shortened(attacker, key, created_at, until)),
    }
    names = {
        outcome: tuple(name for name, found in tried.items() if found is outcome) for outcome in (True, False, None)
    }
    broken = tuple(f"the server permitted the {name} of what is locked" for name in names[True])
    return LockProof(days, names[False], broken, names[None])


def _tried(attempt: Callable[[], bool]) -> bool | None:
    """Whether the attempt had its way; None when it could not even be made."""
    try:
        return attempt()
    except Refused:
        return None


def _deleted(attacker: RegionJanitor, key: str) -> bool:
    version = next(found.version for found in attacker.versions(key) if found.key == key)
    try:
        attacker.delete(key, version)
    except Refused:
        return False
    try:
        attacker.get_version(key, version)
    except NotFound:
        return True
    return False


def _shortened(attacker: RegionJanitor, key: str, created_at: datetime, until: datetime) -> bool:
    try:
        attacker.weaken(key, created_at + (until - created_at) / 2)
    except PermissionDenied:
        return False
    found = attacker.locked_until(key)
    return found is None or found < until

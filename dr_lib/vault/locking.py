"""Keeping what a point needs locked as long as the point itself."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from dr_lib.errors import Refused
from dr_lib.format import layout
from dr_lib.model.manifest import PointSummary
from dr_lib.model.region import LockPolicy
from dr_lib.policy.locking import due, is_kept, needs_extension
from dr_lib.storage.base import LockingStore, ObjectInfo
from dr_lib.storage.locking import locking
from dr_lib.vault.run_keys import newest_generations
from dr_lib.vault.vault import Vault

STREAMS: Final = 16


def keep_locked(vault: Vault, summary: PointSummary, packs: Mapping[str, ObjectInfo], fresh: Container[str]) -> None:
    """Lock all that a manifest needs which is about to be committed, at least as long as a fresh upload is locked.

    `packs` are the vault's, listed a moment ago; `fresh` names those that this run stored: they have their lock from
    the store itself, so that one or two requests a reused pack and run key are all it takes. Nothing is asked where the
    region has no lock. Raises what a request raises, and `Refused` (7) when the store does not lock what is created:
    then the point must not be committed. Safe to repeat.
    """
    if vault.lock is None:
        return
    store = locking(vault.store)
    asked_at, until = _granted(vault, store, vault.lock, summary)
    wanted = [layout.pack_key(pack.sha256) for pack in summary.packs if _is_short(packs, pack.sha256, fresh, asked_at)]
    with ThreadPoolExecutor(STREAMS) as pool:
        for _ in pool.map(lambda key: store.lock(key, until), [*wanted, *_run_keys(vault, summary)]):
            pass


def _granted(vault: Vault, store: LockingStore, lock: LockPolicy, summary: PointSummary) -> tuple[datetime, datetime]:
    """The server's present, and until when it has to lock what is older."""
    key = layout.witness_key(summary.asset, summary.point, secrets.token_bytes(4))
    store.create(key, b"")
    created_at, given = store.head(key).modified_at, store.locked_until(key)
    if given is None or not is_kept(given, created_at, lock.days):
        found = "is not locked at all" if given is None else f"is locked until {given:%Y-%m-%d %H:%M} UTC only"
        raise Refused(
            f"dr.yaml demands a lock of {lock.days} d, and what was just stored {found}",
            where=vault.where(key),
            hint=f"have the bucket's owner set its default retention to {lock.mode}, {lock.days} days, and look who "
            "changed it; no point is committed before",
        )
    return created_at, due(given, created_at, lock.days)


def _is_short(packs: Mapping[str, ObjectInfo], name: str, fresh: Container[str], asked_at: datetime) -> bool:
    stored = packs.get(name)
    return stored is None or needs_extension(stored.modified_at, asked_at, is_fresh=name in fresh)


def _run_keys(vault: Vault, summary: PointSummary) -> Iterator[str]:
    if not summary.keys:
        return
    newest = newest_generations(vault.store)
    yield from (newest[key_id].key for key_id in summary.keys if key_id in newest)

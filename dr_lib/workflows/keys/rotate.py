"""Rotation: every run key wrapped again, to the recipients of today. No pack and no manifest is read or written."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from dr_lib.crypto import age
from dr_lib.crypto.run_key import RunKey
from dr_lib.errors import DrError, OutOfSpace, Refused, StoreUnavailable
from dr_lib.format.layout import RunKeyName
from dr_lib.storage.base import ObjectStore
from dr_lib.vault.run_keys import open_run_key, store_run_key
from dr_lib.workflows.keys.inventory import take

LAST_GENERATION: Final = 9999


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done to a vault's `run_keys`: so many were `rotated` now and so many `current` already.

    `left_behind`: older generations that others than today's recipients can open. `failed`: why some were not rotated.
    """

    run_keys: int
    rotated: int
    current: int
    left_behind: int
    failed: tuple[DrError, ...]


def rotate(store: ObjectStore, recipients: Sequence[str], identities: Sequence[str], workers: int) -> Rotation:
    """Add a generation for `recipients` to each run key whose newest one is for others.

    Each run key is one small object, created at once or not at all: killed at any moment, the next run does what is
    left; two runs at the same time leave one generation too many, and no harm. A run key that the identities do not
    open, or that is damaged, stays as it is and is told in `failed`; a store that is out of reach ends the run.
    """
    today = age.fingerprint(recipients)
    before = take(store)
    due = before.due(today)
    with ThreadPoolExecutor(workers) as pool:
        try:
            results = list(pool.map(partial(_rewrapped, store, recipients, identities), due))
        finally:
            pool.shutdown(cancel_futures=True)
    failed = tuple(error for error in results if error is not None)
    rotated = len(due) - len(failed)
    return Rotation(
        run_keys=len(before.newest),
        rotated=rotated,
        current=len(before.newest) - len(due),
        left_behind=before.left_behind(today) + rotated,
        failed=failed,
    )


def _rewrapped(
    store: ObjectStore, recipients: Sequence[str], identities: Sequence[str], name: RunKeyName
) -> DrError | None:
    try:
        if name.generation >= LAST_GENERATION:
            raise Refused("this run key has no generation left", where=f"{store.label}, {name.key}")
        secret = open_run_key(store, name, identities)
        store_run_key(store, RunKey(name.id, secret), name.generation + 1, recipients)
    except (StoreUnavailable, OutOfSpace):
        raise
    except DrError as error:
        return error
    return None

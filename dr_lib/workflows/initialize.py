"""Creating vaults: every region is looked at before the first one is changed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from dr_lib.clock import Clock
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import NotFound
from dr_lib.format.canonical import time_text
from dr_lib.model.region import Region
from dr_lib.storage.base import ContainerStore
from dr_lib.vault.opening import create_vault, refuse_occupied
from dr_lib.vault.writers import refuse_without_recipients


def initialize(regions: Sequence[tuple[Region, ContainerStore]], keys: Keyset, clock: Clock) -> list[dict[str, object]]:
    """Make a vault in each region: create a missing container, adopt an empty one.

    `Refused` (7) when any of them holds something already; then no region was changed. Killed in between, the regions
    that were finished refuse the next run: name the others with `--region`.
    """
    for _, store in regions:
        if keys.seals:
            refuse_without_recipients(keys, store.label)
        try:
            refuse_occupied(store)
        except NotFound:
            continue  # the container is missing, which is the best case
    return [_make(region, store, keys, clock) for region, store in regions]


def _make(region: Region, store: ContainerStore, keys: Keyset, clock: Clock) -> dict[str, object]:
    lock = region.lock
    created = store.ensure_container(lock_mode=lock.mode.value if lock else None, lock_days=lock.days if lock else None)
    vault_id = secrets.token_hex(16)
    create_vault(region.name, store, {"vault": vault_id, "created_at": time_text(clock())}, keys)
    return {"region": region.name, "created": created, "vault": vault_id}

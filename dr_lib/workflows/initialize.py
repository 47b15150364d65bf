"""Creating vaults: every region is looked at before the first one is changed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dr_lib.clock import Clock
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import NotFound, PermissionDenied, Refused
from dr_lib.format import layout
from dr_lib.format.canonical import time_text
from dr_lib.model.region import LockPolicy, Region, Role
from dr_lib.storage.base import ContainerStore, RegionJanitor
from dr_lib.vault.kits import store_kit
from dr_lib.vault.lock_probe import LockProof, probe_lock
from dr_lib.vault.opening import create_vault, refuse_occupied
from dr_lib.vault.writers import refuse_without_recipients


@dataclass(frozen=True, slots=True)
class Site:
    """A region without a vault, its store, and its strongest credentials, which try its locks as `attacker_role`."""

    region: Region
    store: ContainerStore
    attacker: RegionJanitor
    attacker_role: Role


def initialize(sites: Sequence[Site], keys: Keyset, clock: Clock, kit: bytes | None = None) -> list[dict[str, object]]:
    """Make a vault in each region: create a missing container, adopt an empty one, and prove its lock.

    `Refused` (7) when any of them holds something already; then no region was changed. `Refused`, too, when a region's
    lock does not hold: it gets no vault. Each vault gets the recovery `kit`, if any. Killed in between, the regions
    that were finished refuse the next run: name the others with `--region`.
    """
    for site in sites:
        if keys.seals:
            refuse_without_recipients(keys, site.store.label)
        try:
            refuse_occupied(site.store)
            _refuse_buried(site)
        except NotFound:
            continue  # the container is missing, which is the best case
    return [_make(site, keys, clock, kit) for site in sites]


def _refuse_buried(site: Site) -> None:
    """Raise `Refused` where a vault lies below delete markers: it is not lost, and a new one would be in its way."""
    try:
        buried = any(version.key == layout.VAULT_KEY for version in site.attacker.versions(layout.VAULT_KEY))
    except PermissionDenied:
        return  # who may not look for versions cannot know
    if buried:
        what = "there was a vault here, and somebody hid it below delete markers"
        raise Refused(what, where=site.store.label, hint=f"drctl uncover --region {site.region.name}")


def _make(site: Site, keys: Keyset, clock: Clock, kit: bytes | None) -> dict[str, object]:
    region, store, lock = site.region, site.store, site.region.lock
    created = store.ensure_container(lock_mode=lock.mode.value if lock else None, lock_days=lock.days if lock else None)
    proven, warnings = _proven(site, lock) if lock else (None, [])
    vault_id = secrets.token_hex(16)
    vault = create_vault(region.name, store, {"vault": vault_id, "created_at": time_text(clock())}, keys)
    stored = store_kit(vault, kit) if kit is not None else None
    if lock is None:
        warnings = _unasked(store)
    told = {"created": created, "vault": vault_id, "lock": proven, "kit": stored, "warnings": warnings}
    return {"region": region.name, **told}


def _proven(site: Site, lock: LockPolicy) -> tuple[dict[str, Any], list[str]]:
    proof = probe_lock(site.store, site.attacker, lock)
    if proof.broken:
        raise Refused(
            f"this region's lock does not hold: {'; '.join(proof.broken)}",
            where=site.store.label,
            hint="no vault was made; use a server that keeps object locks, or leave `lock` out and know that whoever "
            "holds the credentials can delete every point",
        )
    facts = {
        "mode": lock.mode.value,
        "days": proof.days,
        "refused": list(proof.refused),
        "tried_as": site.attacker_role.value,
    }
    return facts, [f"region {site.region.name}: {said}" for said in _remarks(proof, lock, site.attacker_role)]


def _remarks(proof: LockProof, lock: LockPolicy, role: Role) -> list[str]:
    said = [f"the {what} of what is locked could not be tried as {role}: unproven" for what in proof.untried]
    if proof.refused and role is not Role.JANITOR:
        said.append(f"the lock was tried with the {role}'s credentials; whether it holds against others is unproven")
    if proof.days is not None and proof.days > lock.days:
        said.append(
            f"the bucket locks for {proof.days} days by its own default, longer than the {lock.days} of dr.yaml: "
            f"nothing can be pruned, nor space be freed, before {proof.days} days"
        )
    return said


def _unasked(store: ContainerStore) -> list[str]:
    until = store.locked_until(layout.VAULT_KEY)
    if until is None:
        return []
    said = (
        f"{store.label}: dr.yaml asks for no lock, and the bucket locks by its own default (what is stored now, until "
        f"{until:%Y-%m-%d}): nothing can be pruned before, and no lock is extended; name the `lock` in dr.yaml"
    )
    return [said]

"""The recovery kit in a vault: stored once, proven whenever it is looked at, the newest one counts."""

from __future__ import annotations

import hashlib

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound
from dr_lib.format import kit as kit_format
from dr_lib.format import layout, vault_record
from dr_lib.model.kit import KitFacts, KitState
from dr_lib.vault.vault import Vault

MISSING = "there is no recovery kit here: `drctl kit build` puts one"


def store_kit(vault: Vault, data: bytes) -> str:
    """Store a kit that is signed as this vault's readers demand; its key. The same kit twice is one object."""
    facts = kit_format.check(data, "the new kit", vault.access.trusted)
    key = layout.kit_key(facts.format, facts.made_at, data)
    try:
        vault.store.create(key, data)
    except AlreadyExists:
        check_kit(vault, key, vault.store.get(key))
    return key


def newest_kit(vault: Vault) -> layout.KitName | None:
    """The kit that counts, by one listing; None where there is none."""
    names = (layout.parse_kit_key(info.key) for info in vault.store.list(layout.KIT))
    return max((name for name in names if name is not None), default=None)


def check_kit(vault: Vault, key: str, data: bytes) -> KitFacts:
    """What a kit says of itself, where `data` may stand under `key`; `IntegrityError` where it may not."""
    where, name = vault.where(key), layout.parse_kit_key(key)
    facts = kit_format.check(data, where, vault.access.trusted)
    if name is None or layout.kit_key(facts.format, facts.made_at, data) != key:
        what = "a recovery kit's bytes are not those its name promises"
        raise IntegrityError(what, where=where, hint=kit_format.ANOTHER)
    return facts


def read_kit(vault: Vault, name: layout.KitName) -> tuple[bytes, KitFacts]:
    """The bytes of a kit, proven."""
    if (size := vault.store.head(name.key).size) > kit_format.LARGEST:
        what = f"{size} bytes, more than any recovery kit has"
        raise IntegrityError(what, where=vault.where(name.key), hint=kit_format.ANOTHER)
    data = vault.store.get(name.key)
    return data, check_kit(vault, name.key, data)


def examine_kit(vault: Vault) -> KitState:
    """How the kit of this vault stands; damage is in the answer. Raises `StoreUnavailable` (6) where nobody answers."""
    name = newest_kit(vault)
    if name is None:
        return KitState(vault.region, problem=MISSING)
    try:
        data, facts = read_kit(vault, name)
    except (IntegrityError, NotFound) as error:
        return KitState(vault.region, name.key, problem=str(error))
    problem = ""
    if facts.format < vault_record.FORMAT:
        problem = (
            f"it reads vaults of format {facts.format}, and there are some of {vault_record.FORMAT}: `drctl kit build`"
        )
    return KitState(vault.region, name.key, len(data), hashlib.sha256(data).hexdigest(), facts, problem)

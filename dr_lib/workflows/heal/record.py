"""A vault's own record, which is the only object that differs by region: from an older version, or made anew."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from dr_lib.clock import Clock
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import IntegrityError, NotFound, Refused
from dr_lib.format import layout, vault_record
from dr_lib.format.canonical import time_text
from dr_lib.storage.base import JanitorStore, ObjectStore
from dr_lib.vault.opening import record_of
from dr_lib.vault.vault import Vault
from dr_lib.workflows.heal.mend import Mender
from dr_lib.workflows.heal.offers import Offers
from dr_lib.workflows.heal.wounds import Mended, Proof, Wound


def heal_record(
    region: str,
    store: ObjectStore,
    keys: Keyset,
    signers: Sequence[str],
    janitor: JanitorStore | None,
    refusal: Refused | None,
    clock: Clock,
) -> Mended | None:
    """Heal `vault.json` of a region that has points; None when it is whole. `signers` are whom it should name.

    Raises `Refused` (7) when it has to be replaced and nobody here may. Safe to retry.
    """
    wound = wounded_record(store)
    if wound is None:
        return None
    was = "missing" if wound.info is None else "damaged"
    offers = Offers(janitor, (), lambda _: None, [])
    mender = Mender(Proof(Vault(region, store, keys, signers), None), offers, janitor, refusal)
    for origin, data in offers.of(layout.VAULT_KEY):
        if mender.proof.accepts(layout.VAULT_KEY, data) and _is_of(region, data):
            mender.put(wound, data)
            return Mended(wound.key, was, origin)
    facts = {"vault": secrets.token_hex(16), "created_at": time_text(clock())}
    mender.put(wound, record_of(region, facts, keys, signers))
    return Mended(wound.key, was, "the configuration")


def wounded_record(store: ObjectStore) -> Wound | None:
    """What is wrong with the record itself; None when it is whole, whatever it says."""
    try:
        info = store.head(layout.VAULT_KEY)
        vault_record.check_strictly(store.get(layout.VAULT_KEY), f"{store.label}, {layout.VAULT_KEY}")
    except NotFound:
        return Wound(layout.VAULT_KEY, "it is gone", None)
    except IntegrityError as error:
        return Wound(layout.VAULT_KEY, error.what, info)
    return None


def _is_of(region: str, data: bytes) -> bool:
    return vault_record.load(data, layout.VAULT_KEY).get("region") == region

"""A vault's own record, which is the only object that differs by region: from an older version, or made anew."""

from __future__ import annotations

import secrets

from dr_lib.clock import Clock
from dr_lib.errors import IntegrityError, NotFound, Refused
from dr_lib.format import layout, vault_record
from dr_lib.format.canonical import time_text
from dr_lib.storage.base import JanitorStore, ObjectStore
from dr_lib.vault.object_check import check_object
from dr_lib.vault.opening import record_of
from dr_lib.vault.vault import Vault
from dr_lib.workflows.heal.mend import Mender
from dr_lib.workflows.heal.offers import Offers
from dr_lib.workflows.heal.wounds import Mended, Proof, Wound


def heal_record(vault: Vault, janitor: JanitorStore | None, refusal: Refused | None, clock: Clock) -> Mended | None:
    """Heal `vault.json` of a region that has points; None when it is whole and this region's.

    `vault` is what the configuration says that this is; its signers are whom the record should name. Another region's
    sound record is replaced only where the events here are signed for this one: else the configuration is wrong. Raises
    `Refused` (7) when it has to be replaced and nobody here may. Safe to retry.
    """
    wound = wounded_record(vault.store) or _replayed(vault)
    if wound is None:
        return None
    was = "missing" if wound.info is None else "damaged"
    offers = Offers(janitor, (), lambda _: None, [])
    mender = Mender(Proof(vault, None), offers, janitor, refusal)
    for origin, data in offers.of(layout.VAULT_KEY):
        if mender.proof.accepts(layout.VAULT_KEY, data) and _region_in(data) == vault.region:
            mender.put(wound, data)
            return Mended(wound.key, was, origin)
    facts = {"vault": secrets.token_hex(16), "created_at": time_text(clock())}
    mender.put(wound, record_of(vault.region, facts, vault.keys, vault.access.trusted))
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


def is_anothers(region: str, store: ObjectStore) -> bool:
    """Whether the record, which is whole, is that of another region."""
    return _region_in(store.get(layout.VAULT_KEY)) != region


def _replayed(vault: Vault) -> Wound | None:
    """A record of another region, over events of this one: somebody put it there."""
    if not is_anothers(vault.region, vault.store):
        return None
    for info in vault.store.list(layout.EVENTS):
        name = layout.parse_event_key(info.key)
        try:
            if name is not None:
                check_object(vault, info.key, vault.store.get(info.key))
                return Wound(layout.VAULT_KEY, "it is another region's", vault.store.head(layout.VAULT_KEY))
        except (IntegrityError, NotFound):
            continue
    return None


def _region_in(data: bytes) -> object:
    return vault_record.load(data, layout.VAULT_KEY).get("region")

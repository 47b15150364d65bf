"""Making a vault in an empty store, and opening one that is there as what the configuration says it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dr_lib.crypto.keyset import CLEAR, Keyset
from dr_lib.errors import IntegrityError, NotFound, Refused, UsageError
from dr_lib.format import entries, layout, vault_record
from dr_lib.model.region import LockPolicy
from dr_lib.storage.base import ObjectStore
from dr_lib.vault.vault import Vault

SEALED: Final = "sealed"
NONE: Final = "none"
_NO_VAULT: Final = "`drctl init` creates it; where there was one and versions are kept, `drctl uncover` brings it back"


def open_vault(region: str, store: ObjectStore, keys: Keyset = CLEAR, lock: LockPolicy | None = None) -> Vault:
    """The vault in `store`, proven to answer and to be of a known format; within seconds, or an error that names it.

    The signers that it was made with are trusted where `keys` pins none. `UsageError` (2) when it is another region's
    (one store under two names would count as two copies), or is sealed where the configuration says that nothing is;
    `IntegrityError` (4) when it is in the clear where the configuration says sealed.
    """
    try:
        data = store.get(layout.VAULT_KEY)
    except NotFound:
        store.check()
        raise _no_record(store) from None
    facts = vault_record.load(data, f"{store.label}, {layout.VAULT_KEY}")
    if type(facts.get("format")) is not int or facts["format"] != vault_record.FORMAT:
        raise IntegrityError(f"a vault of format {facts.get('format')!r}", where=store.label, hint="use a newer drctl")
    if facts.get("region") != region:
        raise UsageError(
            f"this is the vault of region {facts.get('region')!r}",
            where=store.label,
            hint="two regions must not share a store: correct the url, or the region's name, in dr.yaml",
        )
    _refuse_other_sealing(facts.get("encryption", NONE), keys, store.label)
    return Vault(region, store, keys, keys.trusted or _signers(facts, store.label), lock)


def create_vault(
    region: str, store: ObjectStore, facts: dict[str, Any], keys: Keyset = CLEAR, *, check: bool = True
) -> Vault:
    """Turn an empty store into a vault. `Refused` (7) when anything is in it already; nothing is changed then.

    Without `check` its record is made as the first writers made it.
    """
    refuse_occupied(store)
    store.create(layout.VAULT_KEY, record_of(region, facts, keys, keys.trusted, check=check))
    return Vault(region, store, keys, keys.trusted)


def record_of(region: str, facts: dict[str, Any], keys: Keyset, signers: Sequence[str], *, check: bool = True) -> bytes:
    """The bytes of a vault's own record, as this configuration would have it."""
    record = {"format": vault_record.FORMAT, "region": region, "encryption": SEALED if keys.seals else NONE, **facts}
    return vault_record.dump(record | ({"signers": list(signers)} if signers else {}), check=check)


def refuse_occupied(store: ObjectStore) -> None:
    """Raise `Refused` when the store holds a vault, or anything else but the probes of its locks."""
    first = next((info for info in store.list() if not info.key.startswith(layout.PROBES)), None)
    if first is None:
        return
    try:
        store.head(layout.VAULT_KEY)
    except NotFound:
        raise Refused(
            f"the store holds other things (first: {first.key!r})",
            where=store.label,
            hint="name an empty place for the vault",
        ) from None
    raise Refused("a vault is there already", where=store.label, hint="nothing to do; --region limits init to new ones")


def _no_record(store: ObjectStore) -> IntegrityError | NotFound:
    """A store with points and without its record was a vault; any other holds none."""
    if next(iter(store.list(layout.POINTS)), None) is not None:
        return IntegrityError(
            "the vault's own record is gone", where=f"{store.label}, {layout.VAULT_KEY}", hint=vault_record.HEAL
        )
    return NotFound("this region holds no vault", where=store.label, hint=_NO_VAULT)


def _refuse_other_sealing(said: object, keys: Keyset, label: str) -> None:
    if said not in (SEALED, NONE):
        raise IntegrityError(f"a vault sealed in a way that is not known: {said!r}", where=label)
    if said == SEALED and not keys.seals:
        raise UsageError(
            "this vault is sealed, and dr.yaml says `encryption: none`",
            where=label,
            hint="name its recipients: `encryption: {recipients: [age1…, age1…]}`",
        )
    if said == NONE and keys.seals:
        raise IntegrityError(
            "this vault is in the clear, and dr.yaml names recipients",
            where=label,
            hint="it was made before they were named, or was replaced: make a new vault with `drctl init`",
        )


def _signers(facts: dict[str, Any], label: str) -> tuple[str, ...]:
    try:
        return tuple(entries.text(item) for item in facts.get("signers", ()))
    except entries.ODD as error:
        raise IntegrityError("the vault's signers do not parse", where=f"{label}, {layout.VAULT_KEY}") from error

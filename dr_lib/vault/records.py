"""Immutable JSON records of a vault: events and evidence, signed where signers are known."""

from __future__ import annotations

from typing import Any, Final

from dr_lib.crypto import signing
from dr_lib.errors import AlreadyExists, IntegrityError
from dr_lib.format import canonical
from dr_lib.vault.vault import Vault
from dr_lib.vault.writers import refuse_unsigned

EVENT: Final = "application/vnd.dr.event.v1+json"
PRUNE: Final = "application/vnd.dr.prune.v1+json"
STATEMENT: Final = "application/vnd.in-toto+json"


def encode_record(vault: Vault, record: dict[str, Any], kind: str) -> bytes:
    """Bytes of a record, equal for equal ones: a signed envelope where there is a signer, else its canonical JSON."""
    refuse_unsigned(vault)
    data = canonical.dumps(record)
    if vault.keys.signer is None:
        return data
    return canonical.dumps(signing.envelope(kind, data, vault.keys.signer))


def add_record(vault: Vault, key: str, data: bytes) -> None:
    """Store the bytes of an immutable record; the same record twice is one."""
    try:
        vault.store.create(key, data)
    except AlreadyExists:
        if vault.store.get(key) != data:
            raise


def decode_record(vault: Vault, key: str, data: bytes, kind: str) -> dict[str, Any]:
    """The record in `data`; `IntegrityError` unless one of the vault's signers signed it, where it has signers."""
    where = vault.where(key)
    found = canonical.loads(data, where)
    if "payloadType" not in found and not vault.access.trusted:
        return found
    try:
        return canonical.loads(signing.payload_of(found, kind, vault.access.trusted), where)
    except IntegrityError as error:
        raise IntegrityError(f"a record cannot be trusted: {error.what}", where=where, hint=error.hint) from error

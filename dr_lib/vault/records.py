"""Immutable JSON records of a vault: events and evidence, signed where signers are known."""

from __future__ import annotations

from typing import Any, Final

from dr_lib.crypto import signing
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import AlreadyExists, IntegrityError, UsageError
from dr_lib.format import canonical
from dr_lib.vault.vault import Vault

EVENT: Final = "application/vnd.dr.event.v1+json"
STATEMENT: Final = "application/vnd.in-toto+json"
_WRITER_KEY: Final = "set what `encryption.writer` in dr.yaml names (by default the variable DR_WRITER_KEY)"
_SIGNING_KEY: Final = "set what `signing.key` in dr.yaml names (by default the variable DR_SIGNING_KEY)"


def refuse_unsigned(vault: Vault) -> None:
    """Raise `UsageError` (2) when what this process would write into `vault` is signed by nobody whom it trusts."""
    trusted, signer = vault.access.trusted, vault.keys.signer
    if trusted and signer is None:
        raise UsageError("this vault takes signed records and no signing key is here", where=vault.store.label,
                         hint=_SIGNING_KEY)  # fmt: skip
    if trusted and signer is not None and signer.public not in trusted:
        raise UsageError(
            f"the signing key here ({signer.public}) is none that this vault trusts",
            where=vault.store.label,
            hint="use the right one, or add it to `signing.trusted` in dr.yaml",
        )


def refuse_without_recipients(keys: Keyset, label: str) -> None:
    """Raise `UsageError` (2) when nobody is named to whom something could be sealed."""
    if not keys.recipients:
        hint = "add `encryption.recipients` to dr.yaml: at least two, as `drctl keys generate` prints them"
        raise UsageError("this configuration only reads sealed vaults: it names no recipients", where=label, hint=hint)


def refuse_without_writer_key(vault: Vault) -> None:
    """Raise `UsageError` (2) when this process lacks a key without which no point can be written into `vault`."""
    refuse_unsigned(vault)
    if vault.keys.seals:
        refuse_without_recipients(vault.keys, vault.store.label)
    if vault.keys.seals and vault.keys.writer is None:
        raise UsageError("this vault is sealed and no writer key is here", where=vault.store.label, hint=_WRITER_KEY)


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

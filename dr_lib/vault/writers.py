"""What a process needs before it writes into a vault: found out at the start, not after an hour of work."""

from __future__ import annotations

from typing import Final

from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import UsageError
from dr_lib.vault.vault import Vault

_WRITER_KEY: Final = "set what `encryption.writer` in dr.yaml names (by default the variable DR_WRITER_KEY)"
_SIGNING_KEY: Final = "set what `signing.key` in dr.yaml names (by default the variable DR_SIGNING_KEY)"


def refuse_unsigned(vault: Vault) -> None:
    """Raise `UsageError` (2) when what this process would write into `vault` is signed by nobody whom it trusts."""
    trusted, signer = vault.access.trusted, vault.keys.signer
    if trusted and signer is None:
        what = "this vault takes signed records and no signing key is here"
        raise UsageError(what, where=vault.store.label, hint=_SIGNING_KEY)
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

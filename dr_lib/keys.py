"""From references in the configuration to the keys of this process. Secrets are read here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dr_lib.crypto import age, signing
from dr_lib.crypto.keyset import Keyset, writer_key
from dr_lib.errors import UsageError
from dr_lib.model.protection import Encryption, Signing
from dr_lib.storage.credentials import Connections

T = TypeVar("T")
IDENTITY_START = "AGE-SECRET-KEY-"


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where secrets are looked up."""

    environ: Mapping[str, str]
    connections: Connections | None

    def text(self, reference: str) -> str | None:
        """The secret that `env:NAME`, `file:PATH` or `airflow:CONN_ID` leads to; None where there is none.

        A process has the keys of its role alone, so that a missing one is no mistake before something needs it.
        """
        kind, _, argument = reference.partition(":")
        if kind == "env":
            return (self.environ.get(argument) or "").strip() or None
        if kind == "file":
            return _file(Path(argument), reference)
        if self.connections is None:
            return None
        return self.connections(argument).secret_key


def keyset(encryption: Encryption | None, signed: Signing | None, secrets: SecretSource) -> Keyset:
    """The keys that this process has of what the configuration names; `UsageError` (2) for a secret that is none."""
    signer = None if signed is None else _secret(secrets, signed.key, signing.signer)
    trusted = () if signed is None else signed.trusted
    if encryption is None:
        return Keyset(signer=signer, trusted=trusted)
    return Keyset(
        reads_sealed=True,
        recipients=encryption.recipients,
        identities=_secret(secrets, encryption.identity, identities) or (),
        writer=_secret(secrets, encryption.writer, writer_key),
        signer=signer,
        trusted=trusted,
    )


def identities(text: str) -> tuple[str, ...]:
    """The identities in an age key file, or in a variable; `ValueError` when there is none or one is wrong."""
    lines = [line.strip() for line in text.splitlines()]
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if not found:
        raise ValueError("this holds no age identity")
    for identity in found:
        age.recipient_of(identity)
    return found


def _secret(secrets: SecretSource, reference: str, parse: Callable[[str], T]) -> T | None:
    text = secrets.text(reference)
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(str(error), where=reference, hint="`drctl keys generate` makes the right kinds") from None


def _file(path: Path, reference: str) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"a key cannot be read: {type(error).__name__}", where=reference, hint="check the file's owner and mode"
        ) from None

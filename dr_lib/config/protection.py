"""`encryption:` and `signing:` of a `dr.yaml`: public keys, and references to the secrets that belong to them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from dr_lib.config import values
from dr_lib.config.strict import Strict
from dr_lib.crypto.age import is_recipient
from dr_lib.crypto.signing import is_public_key
from dr_lib.model.protection import Encryption, Signing

NONE = "none"
LEAST_RECIPIENTS = 2
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00]+|airflow:[A-Za-z0-9_.@+-]{1,128}")
_FORMS = "write env:NAME, file:/path or airflow:CONN_ID"
_NO_SECRETS = f"this is a secret, and secrets never stand in this file; {_FORMS}, and replace the key"


def encryption_or_none(value: object) -> object:
    """None for `none`; fields as they are."""
    if value == NONE:
        return None
    if not isinstance(value, dict):
        raise ValueError(
            "this is no way to encrypt that is known; write encryption: {recipients: [age1…, age1…]}, made by "
            "`drctl keys generate`, or encryption: none, which stores in clear"
        )
    return value


def signing_or_none(value: object) -> object:
    """None for `none`; fields as they are."""
    if value == NONE:
        return None
    if not isinstance(value, dict):
        raise ValueError("this is no way to sign; write signing: {trusted: [ed25519:…]}, or signing: none")
    return value


def reference(value: object) -> str:
    """Where a secret is to be found. The message repeats nothing: it may be the secret itself."""
    if isinstance(value, str) and values.holds_private_key(value):
        raise ValueError(_NO_SECRETS)
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise ValueError(f"this is no reference to a secret; {_FORMS}")
    return value


def at_least_two(value: object) -> object:
    """At least two different age recipients."""
    if not isinstance(value, list):
        return value
    if any(isinstance(item, str) and values.holds_private_key(item) for item in value):
        raise ValueError(_NO_SECRETS)
    odd = [item for item in value if not isinstance(item, str) or not is_recipient(item)]
    if odd:
        raise ValueError(f"{odd[0]!r:.80} is no age recipient; write age1…, as `drctl keys generate` prints it")
    if len(set(value)) < LEAST_RECIPIENTS:
        raise ValueError(
            "one recipient can be lost, and everything with it; name at least two: one for operations, one in escrow"
        )
    return value


def _trusted(value: object) -> object:
    if not isinstance(value, list):
        return value
    if any(isinstance(item, str) and values.holds_private_key(item) for item in value):
        raise ValueError(_NO_SECRETS)
    odd = [item for item in value if not isinstance(item, str) or not is_public_key(item)]
    if odd:
        raise ValueError(f"{odd[0]!r:.80} is no public key; write ed25519:…, as `drctl keys generate` prints it")
    return value


Reference = Annotated[str, BeforeValidator(reference)]


class EncryptionSchema(Strict):
    """`encryption:` of the whole file."""

    recipients: Annotated[list[str], BeforeValidator(at_least_two)] = Field(default=[])
    identity: Reference = "env:DR_IDENTITY"
    writer: Reference = "env:DR_WRITER_KEY"
    escrow: Reference | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.recipients and "identity" not in self.model_fields_set:
            raise ValueError(
                "nobody is named; add recipients: [age1…, age1…], which `drctl keys generate` makes, or, to restore "
                "and nothing else, identity: file:/path/to/ops.agekey"
            )
        return self

    def fact(self, folder: Path) -> Encryption:
        """As the program sees it; relative paths start from `folder`."""
        escrow = None if self.escrow is None else beside(self.escrow, folder)
        own = (beside(self.identity, folder), beside(self.writer, folder))
        return Encryption(tuple(self.recipients), *own, escrow)


class SigningSchema(Strict):
    """`signing:` of the whole file."""

    key: Reference = "env:DR_SIGNING_KEY"
    trusted: Annotated[list[str], BeforeValidator(_trusted)] = Field(default=[])

    def fact(self, folder: Path) -> Signing:
        """As the program sees it; relative paths start from `folder`."""
        return Signing(beside(self.key, folder), tuple(self.trusted))


def beside(reference: str, folder: Path) -> str:
    """The reference with a file's relative path from `folder`."""
    kind, _, rest = reference.partition(":")
    return f"file:{folder / rest.removeprefix('//')}" if kind == "file" else reference

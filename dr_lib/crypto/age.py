"""Wrapping small secrets to people: age files (https://age-encryption.org/v1) that the `age` command reads too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import pyrage

from dr_lib.errors import IntegrityError

_NO_MATCH: Final = "No matching keys found"
"""How the library says that no identity is among the recipients; anything else it says is damage."""


def new_identity() -> tuple[str, str]:
    """A fresh secret identity (`AGE-SECRET-KEY-1…`) and the public recipient (`age1…`) that belongs to it."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipient_of(identity: str) -> str:
    """The recipient of an identity; `ValueError`, which repeats nothing of it, for what is none."""
    return str(_identity(identity).to_public())


def is_recipient(text: str) -> bool:
    """Whether a text is an X25519 recipient."""
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True


def fingerprint(recipients: Sequence[str]) -> str:
    """Eight hex digits that name a set of recipients."""
    return hashlib.sha256("\n".join(sorted(recipients)).encode()).hexdigest()[:8]


def wrap(secret: bytes, recipients: Sequence[str]) -> bytes:
    """An age file that each of the recipients alone can open; `ValueError` for none, and for what is no recipient."""
    try:
        return bytes(pyrage.encrypt(secret, [pyrage.x25519.Recipient.from_str(text) for text in recipients]))
    except (pyrage.RecipientError, pyrage.EncryptError) as error:
        raise ValueError(f"cannot wrap to these recipients: {error}") from error


def unwrap(wrapped: bytes, identities: Sequence[str]) -> bytes | None:
    """What was wrapped; None when it was wrapped to none of the identities; `IntegrityError` when it is damaged.

    Damage in the lines that say whom it is for also gives None: the two cannot be told apart.
    """
    try:
        return bytes(pyrage.decrypt(wrapped, [_identity(text) for text in identities]))
    except pyrage.DecryptError as error:
        if str(error) == _NO_MATCH:
            return None
        raise IntegrityError(f"an age file does not open: {error}") from error


def _identity(text: str) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise ValueError("this is no age identity (AGE-SECRET-KEY-1…)") from None

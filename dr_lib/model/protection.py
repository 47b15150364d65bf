"""What protects a vault's content and authenticity, as the configuration says it: public keys and where secrets are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Encryption:
    """Vaults are sealed to `recipients` (age, public, at least two; none where vaults are only read).

    `identity` and `writer` are references to secrets: to an age identity, which only who restores needs, and to the
    writer key of backup hosts. `escrow` is one to an identity that drills alone use, to rehearse that loss.
    """

    recipients: tuple[str, ...]
    identity: str
    writer: str
    escrow: str | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    """What is written is signed with the key that the reference `key` leads to; `trusted` are the public keys whose
    signatures count, those in `vault.json` when empty."""

    key: str
    trusted: tuple[str, ...]

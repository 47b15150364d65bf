"""The keys that one process holds: fewer than all, by its role."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from typing import Final

from dr_lib.crypto.sealing import KEY_BYTES
from dr_lib.crypto.signing import Signer

WRITER_PREFIX: Final = "dr-writer:"


@dataclass(frozen=True, slots=True)
class Keyset:
    """What seals, opens, signs and proves.

    `recipients` (public): whom new run keys are wrapped to; empty where nothing is sealed. `identities` (secret): open
    run keys; only who restores or verifies in full has one. `writer` (secret): opens the working memory of writers.
    `signer` (secret): signs what is written. `trusted` (public): who may have signed what is read; empty for anybody.
    `reads_sealed`: vaults are sealed though no recipients are known, which is enough to restore.
    """

    recipients: tuple[str, ...] = ()
    identities: tuple[str, ...] = field(default=(), repr=False)
    writer: bytes | None = field(default=None, repr=False)
    signer: Signer | None = field(default=None, repr=False)
    trusted: tuple[str, ...] = ()
    reads_sealed: bool = False

    @property
    def seals(self) -> bool:
        """Whether vaults are sealed."""
        return self.reads_sealed or bool(self.recipients)


CLEAR: Final = Keyset()
"""No keys: vaults in the clear, unsigned."""


def new_writer_key() -> str:
    """A fresh writer key as text."""
    return WRITER_PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def writer_key(text: str) -> bytes:
    """The key in a text; `ValueError`, which repeats nothing of it, for what is none."""
    try:
        key = base64.b64decode(text.removeprefix(WRITER_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(WRITER_PREFIX) or len(key) != KEY_BYTES:
        raise ValueError(f"this is no writer key ({WRITER_PREFIX}…)")
    return key

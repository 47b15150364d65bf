"""Run keys: fresh for each worker of each backup, wrapped to the recipients, and named by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

from dr_lib.crypto import sealing


@dataclass(frozen=True, slots=True)
class RunKey:
    """A run key. `id` is its check value in hex, so that a wrong secret under an id shows."""

    id: str
    secret: bytes = field(repr=False)


def new_run_key() -> RunKey:
    """A fresh random one."""
    secret = sealing.new_key()
    return RunKey(sealing.check_value(secret).hex(), secret)


def is_secret_of(secret: bytes, key_id: str) -> bool:
    """Whether a secret is the run key of that id."""
    return len(secret) == sealing.KEY_BYTES and sealing.check_value(secret).hex() == key_id

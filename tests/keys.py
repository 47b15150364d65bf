"""Keys for tests: one set for the whole run, and what each role holds of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from dr_lib.crypto import age, signing
from dr_lib.crypto.keyset import new_writer_key


@dataclass(frozen=True)
class Keys:
    """Secrets as text. `operations` and `escrow` are age identities."""

    operations: str
    escrow: str
    writer: str
    signer: str

    @property
    def recipients(self) -> list[str]:
        return [age.recipient_of(self.operations), age.recipient_of(self.escrow)]

    @property
    def public(self) -> str:
        return signing.signer(self.signer).public

    def config(self) -> dict[str, Any]:
        """What `dr.yaml` says of them."""
        return {"encryption": {"recipients": self.recipients}, "signing": {"trusted": [self.public]}}

    def backup_host(self) -> dict[str, str]:
        """The environment of a machine that backs up: it can read nothing."""
        return {"DR_WRITER_KEY": self.writer, "DR_SIGNING_KEY": self.signer}

    def operator(self) -> dict[str, str]:
        """The environment of a person who restores, and verifies and signs what he saw."""
        return {"DR_IDENTITY": self.operations, "DR_SIGNING_KEY": self.signer}

    def all(self) -> dict[str, str]:
        """Everything, for tests of other things."""
        return self.backup_host() | self.operator()


def fresh_keys() -> Keys:
    """Keys that nobody else has."""
    return Keys(age.new_identity()[0], age.new_identity()[0], new_writer_key(), signing.new_signing_key())


@cache
def keys() -> Keys:
    """The keys of this test run."""
    return fresh_keys()

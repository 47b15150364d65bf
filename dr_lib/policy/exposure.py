"""What a configuration leaves open, in words that nobody can take for a detail."""

from __future__ import annotations

from dr_lib.model.protection import Encryption, Signing

IN_THE_CLEAR = (
    "encryption: none: the vaults are in the clear: who can read the bucket can read the asset; "
    "`drctl keys generate` makes the keys to seal new ones"
)
UNSIGNED = (
    "signing: none: nothing is signed: who can write into the bucket can put points of his own there, and a restore "
    "takes them for yours; `drctl keys generate` makes a signing key"
)


def exposure(encryption: Encryption | None, signing: Signing | None) -> tuple[str, ...]:
    """A warning for each protection that is left out; empty for sealed and signed vaults."""
    return (IN_THE_CLEAR,) * (encryption is None) + (UNSIGNED,) * (signing is None)

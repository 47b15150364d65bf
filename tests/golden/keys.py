"""The keys of the golden sealed vault. They lie here for everybody to read, and protect nothing."""

from __future__ import annotations

from pathlib import Path

from dr_lib.crypto import age, key_text, signing
from dr_lib.crypto.keyset import Keyset

FOLDER = Path(__file__).parent / "v1-sealed.keys"
NOTE = "# Of a golden vault of the tests: it is published, and protects nothing. Never use it for anything else.\n"


def secret(name: str) -> key_text.SecretKey:
    """`operations` and `escrow` open the vault, `revoked` did before a rotation, `writer` and `signer` wrote it."""
    return key_text.in_file((FOLDER / f"{name}.txt").read_text())


def keyset(opens: str | None = "operations", second: str = "operations") -> Keyset:
    """All keys; `opens` names the identity that is at hand, `second` the recipient beside the escrow."""
    signer = signing.signer(secret("signer").text)
    return Keyset(
        recipients=(age.recipient_of(secret(second).text), age.recipient_of(secret("escrow").text)),
        identities=(secret(opens).text,) if opens is not None else (),
        writer=secret("writer").raw,
        signer=signer,
        trusted=(signer.public,),
    )

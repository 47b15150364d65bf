"""`drctl signature`: OpenSSF model signatures of a directory. Needs no configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dr_lib.cli.figures import pairs
from dr_lib.cli.session import Session, command
from dr_lib.errors import UsageError

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A model's directory.", show_default=False)]
SIGN = ("drctl signature sign /srv/minilm --key signing.pem",)
VERIFY = (
    "drctl signature verify /srv/minilm --public-key signer.pem",
    "drctl signature verify /srv/minilm --certificate root.pem --certificate intermediate.pem",
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    text = "OpenSSF model signatures (model.sig), as the command model_signing makes and checks them."
    group = typer.Typer(no_args_is_help=True, help=text)
    command(group, "sign", examples=SIGN)(sign)
    command(group, "verify", examples=VERIFY)(verify)
    app.add_typer(group, name="signature")


def sign(
    session: Session,
    directory: Directory,
    key: Annotated[Path, typer.Option("--key", metavar="PEM", help="A private key: P-256, P-384 or P-521.")],
) -> None:
    """Sign every file below DIR. The signature is a new file in it, model.sig."""
    from dr_lib.provenance import model_signature

    made = model_signature.sign(directory.absolute(), key)
    facts = {"directory": str(directory.absolute()), "signature": str(made)}
    session.output.show(facts, lambda console: pairs(console, [("signed", facts["signature"])]))


def verify(
    session: Session,
    directory: Directory,
    public_key: Annotated[Path | None, typer.Option("--public-key", metavar="PEM", help="The signer's key.")] = None,
    certificate: Annotated[
        list[Path] | None,
        typer.Option("--certificate", metavar="PEM", help="A root or an intermediate that is trusted; repeatable."),
    ] = None,
) -> None:
    """Check that DIR holds exactly the files that its model.sig signs. Exit code 4 when not."""
    from dr_lib.model.asset import SignaturePolicy
    from dr_lib.provenance import model_signature

    if (public_key is None) == (not certificate):
        raise UsageError("who must have signed it?", hint="give --public-key, or --certificate for each of a chain")
    model_signature.verify(directory.absolute(), SignaturePolicy(public_key, tuple(certificate or ())))
    facts = {"directory": str(directory.absolute()), "signature": "verified"}
    session.output.show(facts, lambda console: pairs(console, [("signature", "holds, over every file that is there")]))

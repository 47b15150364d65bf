"""`drctl keys`: making keys, keeping them on paper, seeing who opens what, and rotating."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.escrow import escrow
from dr_lib.cli.figures import rows
from dr_lib.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("run_keys", "current", "others", "newest_generation")
HEADINGS = ("region", "run keys", "for today's", "for others", "generation", "opened here")
NEXT = """\
Next:
1. Add the lines above to dr.yaml. Who only backs up needs writer.key and signer.key: leave `identity` out there.
2. Print the escrow key, hide the paper, and take the file off this machine:
       drctl keys escrow {escrow} --split 2-of-3
       shred -u {escrow}
3. Keep a copy of {ops} elsewhere too. Without an identity no backup can be read, by anybody."""


def register(app: typer.Typer) -> None:
    """Add the group."""
    keys = typer.Typer(no_args_is_help=True, help="Make keys, put them on paper, see who opens what, rotate.")
    command(keys, "generate", examples=["drctl keys generate --out /etc/dr/keys"])(generate)
    command(
        keys,
        "escrow",
        examples=[
            "drctl keys escrow /etc/dr/keys/escrow.agekey --split 2-of-3 | lp",
            "drctl keys escrow --recover --out escrow.agekey",
            "drctl keys escrow --recover share-1-of-3.txt share-3-of-3.txt --out escrow.agekey",
        ],
    )(escrow)
    command(keys, "list", examples=["drctl keys list", "drctl keys list --all --json"])(list_keys)
    command(keys, "rotate", examples=["drctl keys rotate", "drctl keys rotate --region eu-west"])(rotate)
    app.add_typer(keys, name="keys")


def generate(
    session: Session, out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Made; must not exist.")]
) -> None:
    """Make a fresh set of keys, and say what dr.yaml must name. Needs no dr.yaml. Shows no secret."""
    from dr_lib.use_cases.key_files import generate_keys

    document = generate_keys(out)
    session.output.show(document, partial(_tell_generated, document=document))


def list_keys(
    session: Session, *, every: Annotated[bool, typer.Option("--all", help="Open each run key, not a sample.")] = False
) -> int:
    """Who opens the vaults: run keys by region, and which keys are here. Shows no secret."""
    document = session.runtime().list_keys(every=every)
    session.output.show(document, partial(_tell_list, document=document))
    return next((one["exit_code"] for one in document["regions"] if "error" in one), 0)


def rotate(
    session: Session, region: Annotated[str | None, typer.Option("--region", help="Only this region.")] = None
) -> None:
    """Wrap every run key to the recipients of dr.yaml, with the identity here. Packs stay as they are."""
    document = session.runtime().rotate_keys(region)
    session.output.show(document, partial(_tell_rotated, document=document))


def _tell_generated(console: Console, document: dict[str, Any]) -> None:
    escrow_file, ops = document["files"]["escrow.agekey"], document["files"]["ops.agekey"]
    words = f"{document['yaml']}\n{NEXT.format(escrow=quote(escrow_file), ops=quote(ops))}"
    console.print(words, soft_wrap=True)  # lines to be copied are never folded


def _tell_list(console: Console, document: dict[str, Any]) -> None:
    console.print("\n".join(_keys_here(document)), soft_wrap=True)
    answered = [one for one in document["regions"] if "error" not in one]
    body = [(one["region"], *(one[column] for column in COLUMNS), _opened(one)) for one in answered]
    if body:
        rows(console, HEADINGS, body)
    for one in document["regions"]:
        if "error" in one:
            console.print(f"{one['region']}: {one['error']}")
    for problem in document["problems"]:
        console.print(f"!! {problem}")


def _keys_here(document: dict[str, Any]) -> list[str]:
    told = [f"recipient     {one}" for one in document["recipients"]] or ["recipient     none: nothing is sealed"]
    told += [f"identity here {one}" for one in document["identities"]] or ["identity here none"]
    told.append(f"writer key    {'here' if document['writer'] else 'none'}")
    told.append(f"signing key   {document['signer'] or 'none'}")
    return told + ([f"trusted       {one}" for one in document["trusted"]] or ["trusted       anybody"])


def _opened(one: dict[str, Any]) -> str:
    tried = one["opened"] + one["shut"] + one["damaged"]
    return f"{one['opened']} of {tried} tried" if tried else "-"


def _tell_rotated(console: Console, document: dict[str, Any]) -> None:
    columns = ("region", "run_keys", "rotated", "current", "left_behind")
    body = [[one[column] for column in columns] for one in document["regions"]]
    rows(console, ("region", "run keys", "rotated", "were current", "old ones left"), body)
    for warning in document["warnings"]:
        console.print(f"WARNING: {warning}")

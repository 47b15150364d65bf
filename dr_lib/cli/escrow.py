"""`drctl keys escrow`: a secret to paper, and back. Secrets come from files or are typed in, never from arguments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dr_lib.cli.figures import pairs
from dr_lib.cli.session import Session
from dr_lib.errors import IntegrityError, UsageError

NAMES = {"kind": "what", "belongs_to": "belongs to", "file": "file", "pages": "pages"}


def escrow(
    session: Session,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="The key file; with --recover: shares' files.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="K-of-N", help="Shares, K of which are needed; else one page.")
    ] = None,
    *,
    recover: Annotated[
        bool, typer.Option("--recover", help="The key from shares: from files, from a pipe, or typed in.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="A new directory for the pages, or file for the key; else stdout.")
    ] = None,
) -> None:
    """Print a secret key as words on paper, whole or in shares, or get it back from them. Needs no dr.yaml.

    Exit code 4: a share is wrong, or does not fit the others; 2: too few of them.
    """
    if session.as_json and out is None:
        raise UsageError("with --json no secret is printed", hint="name a place for it with --out")
    document = _from_paper(files or [], split, out) if recover else _to_paper(files or [], split, out)
    if document is not None:
        session.output.show(document, lambda console: pairs(console, _told(document)))


def _to_paper(files: list[Path], split: str | None, out: Path | None) -> dict[str, Any] | None:
    from dr_lib.use_cases import key_files

    if len(files) != 1:
        raise UsageError("name one key file", hint="drctl keys escrow escrow.agekey --split 2-of-3")
    key, pages = key_files.escrow_pages(files[0], split or key_files.WHOLE)
    if out is not None:
        return key_files.store_pages(out, key, pages)
    sys.stdout.write("\f".join(pages))
    return None


def _from_paper(files: list[Path], split: str | None, out: Path | None) -> dict[str, Any] | None:
    from dr_lib.use_cases import key_files

    if split is not None:
        raise UsageError("--recover and --split contradict each other", hint="recover first, then split again")
    key = key_files.recover_key([key_files.read_text(path) for path in files] if files else _given())
    if out is not None:
        return key_files.store_key(out, key)
    print(f"{key.kind.value} that belongs to {key.public}", file=sys.stderr)
    sys.stdout.write(f"{key.text}\n")
    return None


def _given() -> list[str]:
    """Shares from a pipe, or typed in one by one until there are enough."""
    if not sys.stdin.isatty():
        return [sys.stdin.read()]
    shares = [_typed("the words of one share")]
    from dr_lib.use_cases.key_files import shares_needed

    needed = shares_needed(shares[0])
    while len(shares) < needed:
        shares.append(_typed(f"share {len(shares) + 1} of the {needed} that are needed"))
    return shares


def _typed(what: str) -> str:
    """One share that is sound by itself; what is mistyped is asked for again."""
    from dr_lib.use_cases.key_files import shares_needed

    while True:
        text: str = typer.prompt(what, err=True)
        try:
            shares_needed(text)
        except IntegrityError as error:
            print(f"{error.what}; {error.hint}", file=sys.stderr)
        else:
            return text


def _told(document: dict[str, Any]) -> list[tuple[str, Any]]:
    values = {key: "\n".join(value) if isinstance(value, list) else value for key, value in document.items()}
    return [(NAMES[key], value) for key, value in values.items()]

"""Keys as files and as paper: needs no configuration and opens no store: it works where nothing else is left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dr_lib.crypto import escrow, escrow_page, key_text
from dr_lib.crypto.key_text import SecretKey
from dr_lib.errors import IntegrityError, NotFound, PermissionDenied, UsageError
from dr_lib.workflows.keys.generate import generate
from dr_lib.workflows.keys.private_directory import create_directory, create_file

Document = dict[str, Any]
WHOLE = "1-of-1"


def generate_keys(directory: Path) -> Document:
    """Make `directory` with fresh keys in it (0700; `AlreadyExists`, 7, when it is there). Tells no secret."""
    made = generate(directory.absolute())
    return {
        "directory": str(made.directory),
        "files": made.files,
        "recipients": {"ops": made.ops, "escrow": made.escrow},
        "signer": made.signer,
        "yaml": made.yaml,
    }


def escrow_pages(key_file: Path, split: str = WHOLE) -> tuple[SecretKey, list[str]]:
    """The key in a file and its pages, one a share: secrets. `split` is `k-of-n`."""
    found = re.fullmatch(r"(\d{1,2})-of-(\d{1,2})", split)
    if found is None:
        raise UsageError(f"{split!r} is no split", hint="write it like 2-of-3")
    needed, total = int(found[1]), int(found[2])
    key = _key_in(key_file)
    return key, escrow_page.pages(key, escrow.split(key, needed, total), needed)


def store_pages(directory: Path, key: SecretKey, pages: Sequence[str]) -> Document:
    """Write pages into a new private directory; tells where, and nothing of the secret."""
    names = [f"share-{number}-of-{len(pages)}.txt" for number in range(1, len(pages) + 1)]
    place = directory.absolute()
    create_directory(place, dict(zip(names, pages, strict=True)))
    return {"kind": key.kind.value, "belongs_to": key.public, "pages": [str(place / name) for name in names]}


def recover_key(texts: Sequence[str]) -> SecretKey:
    """The key that the shares in some texts (pages, or bare words) give; errors as `escrow.recover`.

    `IntegrityError` (4) also when a page says that it belongs to another key.
    """
    key = escrow.recover([share for text in texts for share in escrow_page.shares_in(text)])
    if {owner for text in texts for owner in escrow_page.owners_in(text)} - {key.public}:
        hint = "the words are in order; find out whose page this is before you use the key"
        raise IntegrityError(f"a page does not belong to what its words give: {key.public}", hint=hint)
    return key


def shares_needed(text: str) -> int:
    """How many shares the first one in a text says are needed; `IntegrityError` (4) when it is no share."""
    return escrow.needed(next(iter(escrow_page.shares_in(text)), ""))


def store_key(path: Path, key: SecretKey) -> Document:
    """Write a key file (0600; `AlreadyExists`, 7, when it is there); tells where, and nothing of the secret."""
    create_file(path.absolute(), key_text.file_of(key))
    return {"kind": key.kind.value, "belongs_to": key.public, "file": str(path.absolute())}


def read_text(path: Path) -> str:
    """The text of a file that a person names."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("there is no such file", where=str(path)) from error
    except PermissionError as error:
        raise PermissionDenied("this file may not be read", where=str(path), hint="run it as its owner") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("this is no file of text", where=str(path)) from error


def _key_in(path: Path) -> SecretKey:
    try:
        return key_text.in_file(read_text(path))
    except ValueError as error:
        raise UsageError(str(error), where=str(path), hint="name a file that `drctl keys generate` made") from error

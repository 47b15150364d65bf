"""Where the runbooks lie, and which there are."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dr_lib.errors import NotFound
from dr_lib.runbooks.text import Runbook, read

VARIABLE: Final = "DR_RUNBOOKS"
BESIDE_THE_CODE: Final = Path(__file__).resolve().parents[2] / "runbooks"


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """That of `DR_RUNBOOKS`, else `runbooks/` of the checkout. `NotFound` when no runbook lies there."""
    found = Path(environ[VARIABLE]) if environ.get(VARIABLE) else BESIDE_THE_CODE
    if not any(found.glob("*.md")):
        hint = (
            f"they lie in a checkout; where only the package is installed, let {VARIABLE} name a copy of its runbooks/"
        )
        raise NotFound("there are no runbooks here", where=str(found), hint=hint)
    return found


def names(directory: Path) -> list[str]:
    """Those that lie in the directory, sorted."""
    return sorted(path.stem for path in directory.glob("*.md"))


def open_runbook(directory: Path, name: str) -> Runbook:
    """The runbook of that name, `.md` behind it or not. `NotFound` (5) names all that there are, and the nearest."""
    wanted, known = name.removesuffix(".md"), names(directory)
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]}? " if near else ""
        raise NotFound(
            f"there is no runbook {name[:60]!r}", where=str(directory), hint=f"{meant}there are: {', '.join(known)}"
        )
    return read(directory / f"{wanted}.md")

"""`drctl runbook`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.session import Session, command
from dr_lib.runbooks.folder import folder, names, open_runbook
from dr_lib.runbooks.text import Block, Part, Prose, Runbook

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("runbook", "what it is for")
KINDS = {"sh": "commands", "text": "output", "yaml": "write"}


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app, "runbook", examples=["drctl runbook", "drctl runbook region-lost", "drctl runbook region-lost | less"]
    )
    def runbook(
        session: Session,
        name: Annotated[str | None, typer.Argument(help="Which one; else all are listed.", show_default=False)] = None,
    ) -> None:
        """What to do when something is wrong, step by step: read, have its commands run, and compare.

        Nothing is run without a yes. Where this is no terminal, the text is printed and nothing is run.
        """
        directory = folder()
        if name is None:
            _list(session, directory)
            return
        found = open_runbook(directory, name)
        if session.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            session.output.show(document(found), lambda console: _print(console, found))
            return
        _walk(session, found)


def document(found: Runbook) -> dict[str, Any]:
    """A runbook for machines: what is read, typed, seen and written, in order."""
    steps = [
        {"section": section.heading, **_step(part)}
        for section in found.sections
        for part in section.parts
        if isinstance(part, Prose | Block)
    ]
    return {"runbook": found.path.stem, "title": found.title, "steps": steps}


def _step(part: Part) -> dict[str, Any]:
    if not isinstance(part, Block):
        return {"kind": "prose", "line": part.line, "text": part.text if isinstance(part, Prose) else ""}
    told: dict[str, Any] = {"kind": KINDS[part.language], "line": part.line, "text": part.text}
    if part.is_fill_in:
        told |= {"kind": "fill-in", "names": dict(part.names)}
    elif part.language == "sh":
        told["exit"] = part.exit_code
    elif part.language == "yaml":
        told |= {"into": part.section, "instead": part.is_alternative}
    return told


def _list(session: Session, directory: Path) -> None:
    known = [open_runbook(directory, name) for name in names(directory)]
    listed = [{"runbook": one.path.stem, "title": one.title} for one in known]
    body = [(one["runbook"], one["title"]) for one in listed]
    session.output.show({"runbooks": listed}, lambda console: rows(console, HEADINGS, body))


def _print(console: Console, found: Runbook) -> None:
    console.out(found.plain, highlight=False)


def _walk(session: Session, found: Runbook) -> None:
    from dr_lib.cli.bash_session import BashSession
    from dr_lib.cli.output import console
    from dr_lib.cli.runbook_walk import Walk

    environ = dict(os.environ)
    # The blocks say `drctl`: this one.
    environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    if session.config is not None:
        environ["DR_CONFIG"] = str(session.config.absolute())
    Walk(found, console(), BashSession(Path.cwd(), environ), environ).go()

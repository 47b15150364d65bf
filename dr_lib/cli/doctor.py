"""`drctl doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.session import Session, command
from dr_lib.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "doctor", examples=["drctl doctor", "drctl doctor --json"])
    def doctor(session: Session) -> int:
        """What is missing or misconfigured here, and the fix. Exit code 2 when something is."""
        document = session.runtime().doctor()
        session.output.show(document, lambda console: _tell(console, document))
        return 0 if document["ok"] else UsageError.exit_code


def _tell(console: Console, document: dict[str, Any]) -> None:
    checks = document["checks"]
    rows(console, ("", "check", "found"), (("ok" if c["ok"] else "!!", c["name"], c["detail"]) for c in checks))
    for check in checks:
        if not check["ok"] and check["fix"]:
            console.print(f"{check['name']}: {check['fix']}")
    for warning in document["warnings"]:
        console.print(f"WARNING: {warning}")

"""`drctl alerts`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.session import Session, command

HEADINGS = ("severity", "since", "told", "what")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "alerts", examples=["drctl alerts", "drctl alerts --test"])
    def alerts(
        session: Session,
        test: Annotated[bool, typer.Option("--test", help="Send a message to everybody whom dr.yaml names.")] = False,
    ) -> None:
        """List what people were alarmed about and is still so, or try whether they can be reached."""
        runtime = session.runtime()
        if test:
            from dr_lib.model.alert import Severity

            sent = runtime.tell(Severity.CRITICAL, "This is a test of the alerts. Nothing is wrong.")
            session.output.show(sent, lambda console: console.print(_sent(sent)))
            return
        found = runtime.open_alerts()
        body = [_row(one) for one in found["alerts"]]
        session.output.show(found, lambda console: rows(console, HEADINGS, body))


def _sent(sent: dict[str, Any]) -> str:
    return f"sent to {', '.join(sent['recipients']) or 'nobody: dr.yaml names no recipient under alerts:'}"


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return one["severity"], one["since"][:19], (one["told_at"] or "nobody yet")[:19], one["text"]

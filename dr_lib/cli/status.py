"""`drctl status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from dr_lib.cli.drill import tell_scenarios
from dr_lib.cli.figures import rows, span
from dr_lib.cli.session import Session, command
from dr_lib.errors import ObjectiveMissed

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("asset", "newest verified point", "RPO", "last drill", "its RTO", "")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "status", examples=["drctl status", "drctl status --json"])
    def status(session: Session) -> int:
        """How every asset stands against its objectives, from what the regions hold now. Exit code 3 when broken."""
        document = session.runtime().status()
        session.output.show(document, lambda console: _tell(console, document["assets"]))
        return 0 if document["ok"] else ObjectiveMissed.exit_code


def _tell(console: Console, assets: list[dict[str, Any]]) -> None:
    rows(console, HEADINGS, (_row(asset) for asset in assets))
    tell_scenarios(console, [asset for asset in assets if len(asset.get("scenarios", ())) > 1])
    for asset in assets:
        for problem in asset["problems"]:
            console.print(f"{asset['asset']}: {problem}")


def _row(asset: dict[str, Any]) -> tuple[str, ...]:
    drill = asset["last_drill"] or {}
    return (
        asset["asset"],
        asset["newest_verified"] or "-",
        f"{span(asset['rpo_s'])} of {span(asset['rpo_objective_s'])}",
        drill.get("verdict", "never"),
        f"{span(drill.get('rto_s'))} of {span(asset['rto_objective_s'])}",
        "ok" if asset["ok"] else "BROKEN",
    )

"""`drctl init`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "init", examples=["drctl init", "drctl init --region eu-west"])
    def init(
        session: Session,
        region: Annotated[list[str] | None, typer.Option("--region", help="Only this region; repeatable.")] = None,
    ) -> None:
        """Create the vaults. A missing bucket is made, an empty one adopted; anything else in it is refused."""
        document = session.runtime().initialize(region)
        session.output.show(document, lambda console: _tell(console, document))


def _tell(console: Console, document: dict[str, Any]) -> None:
    regions = document["regions"]
    body = [
        (one["region"], "created" if one["created"] else "adopted", _lock(one["lock"]), one["vault"]) for one in regions
    ]
    rows(console, ("region", "bucket", "lock", "vault"), body)
    missing = [document["kit_missing"]] if document.get("kit_missing") else []
    for warning in (*(said for one in regions for said in one["warnings"]), *missing):
        console.print(f"WARNING: {warning}")


def _lock(proven: dict[str, Any] | None) -> str:
    if proven is None:
        return "none"
    tried = " and ".join(proven["refused"])
    return f"{proven['mode']}, {proven['days']} d" + (f"; {tried} refused" if tried else "; UNPROVEN")

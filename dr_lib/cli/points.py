"""`drctl points`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dr_lib.cli.figures import copies, rows, size
from dr_lib.cli.session import Session, command

HEADINGS = ("asset", "point", "size", "stored", "copies")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "points", examples=["drctl points", "drctl points minilm --json"])
    def points(
        session: Session, asset: Annotated[str | None, typer.Argument(help="Only this asset's.")] = None
    ) -> None:
        """List recovery points, newest first, with the state of every copy as the regions tell it now."""
        found = session.runtime().points(asset)
        body = [
            (p["asset"], p["point"], size(p["logical_bytes"]), size(p["stored_bytes"]), _standing(p)) for p in found
        ]
        session.output.show(found, lambda console: rows(console, HEADINGS, body))


def _standing(point: dict[str, Any]) -> str:
    said = [f"QUARANTINE: {text}" for text in point.get("quarantined") or ()]
    said += [f"held: {name}" for name in point.get("held", ())]
    return "\n".join([copies(point["copies"], point["locks"]), *said])

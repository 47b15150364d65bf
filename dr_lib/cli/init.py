"""`drctl init`."""

from __future__ import annotations

from typing import Annotated

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "init", examples=["drctl init", "drctl init --region eu-west"])
    def init(
        session: Session,
        region: Annotated[list[str] | None, typer.Option("--region", help="Only this region; repeatable.")] = None,
    ) -> None:
        """Create the vaults. A missing bucket is made, an empty one adopted; anything else in it is refused."""
        document = session.runtime().initialize(region)
        body = [
            (one["region"], "created" if one["created"] else "adopted", one["vault"]) for one in document["regions"]
        ]
        session.output.show(document, lambda console: rows(console, ("region", "bucket", "vault"), body))

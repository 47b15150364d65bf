"""`drctl uncover`."""

from __future__ import annotations

from typing import Annotated

import typer

from dr_lib.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "uncover", examples=["drctl uncover --region us-east"])
    def uncover(session: Session, region: Annotated[str, typer.Option("--region", help="The region.")]) -> None:
        """Bring back what was buried under newer versions or delete markers. Needs the janitor; deletes nothing."""
        document = session.runtime().uncover(region)
        count = len(document["uncovered"])
        said = f"{count} objects of {region} are on top again" if count else f"nothing in {region} was buried"
        session.output.show(document, lambda console: console.print(said))

"""`drctl heal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.limits import LimitDownload, LimitUpload, limited
from dr_lib.cli.names import asset_and_point
from dr_lib.cli.session import Session, command
from dr_lib.errors import IntegrityError

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("object", "was", "from")
RESULT_HEADINGS = ("asset", "point", "region", "found")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "heal", examples=["drctl heal --region us-east", "drctl heal minilm --region us-east"])
    def heal(
        session: Session,
        region: Annotated[str, typer.Option("--region", help="The region whose copies are healed.")],
        name: Annotated[
            str | None, typer.Argument(metavar="ASSET|POINT", help="Else every asset of the region.")
        ] = None,
        limit_upload: LimitUpload = None,
        limit_download: LimitDownload = None,
    ) -> int:
        """Put back what is damaged or missing in a region, from proven bytes of other regions, older versions or the
        source; then verify it. Exit code 4 when something stays damaged."""
        runtime, progress = limited(session, limit_upload, limit_download), session.progress()
        asset, point = asset_and_point(runtime, name) if name else (None, None)
        try:
            document = runtime.heal(asset, point, region=region, progress=progress)
        finally:
            progress.finish()
        session.output.show(document, lambda console: _tell(console, document))
        return 0 if document["ok"] else IntegrityError.exit_code


def _tell(console: Console, document: dict[str, Any]) -> None:
    if document["healed"]:
        rows(console, HEADINGS, [(one["key"], one["was"], one["from"]) for one in document["healed"]])
    for one in document["unhealed"]:
        console.print(f"NOT HEALED {one['key']}: {one['why']}")
    for key in document["given_up"]:
        console.print(f"given up, nothing needs it: {key}")
    if document["results"]:
        found = ((r, "whole" if r["ok"] else "DAMAGED") for r in document["results"])
        rows(console, RESULT_HEADINGS, [(r["asset"], r["point"], r["region"], said) for r, said in found])
    if not (document["healed"] or document["unhealed"] or document["given_up"]):
        console.print(f"nothing is damaged in {document['region']}")
    if not document["ok"]:
        console.print("next: when a point cannot be healed, back its asset up again: that makes a new one")

"""`drctl replicate`."""

from __future__ import annotations

from typing import Annotated

import typer

from dr_lib.cli.figures import rows, size
from dr_lib.cli.limits import LimitDownload, LimitUpload, limited
from dr_lib.cli.names import asset_and_point
from dr_lib.cli.session import Session, command

HEADINGS = ("point", "from", "to", "new bytes")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app,
        "replicate",
        examples=["drctl replicate minilm", "drctl replicate minilm --to eu-west --limit-upload 50MB/s"],
    )
    def replicate(
        session: Session,
        name: Annotated[str, typer.Argument(metavar="ASSET|POINT", help="All points of an asset, or one point.")],
        to: Annotated[list[str] | None, typer.Option("--to", help="Only to this region; repeatable.")] = None,
        limit_upload: LimitUpload = None,
        limit_download: LimitDownload = None,
    ) -> None:
        """Copy points into the regions of the asset that lack them, byte for byte."""
        runtime, progress = limited(session, limit_upload, limit_download), session.progress()
        asset, point = asset_and_point(runtime, name)
        try:
            document = runtime.replicate(asset, point, to, progress)
        finally:
            progress.finish()
        body = [(one["point"], one["from"], one["region"], size(one["new_bytes"])) for one in document["copied"]]
        session.output.show(
            document,
            lambda console: rows(console, HEADINGS, body) if body else console.print("every region has every point"),
        )

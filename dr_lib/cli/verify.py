"""`drctl verify`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from dr_lib.cli.figures import rows, size, span
from dr_lib.cli.limits import LimitDownload, LimitUpload, limited
from dr_lib.cli.names import asset_and_point
from dr_lib.cli.session import Session, command
from dr_lib.errors import IntegrityError

HEADINGS = ("asset", "point", "region", "found", "read", "took")


class Mode(StrEnum):
    """How deep: `structure` looks at what is there, `full` reads every byte."""

    STRUCTURE = "structure"
    FULL = "full"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app,
        "verify",
        examples=[
            "drctl verify",
            "drctl verify minilm --region eu-west --mode structure",
            "drctl verify --unverified --limit-download 50MB/s",
        ],
    )
    def verify(
        session: Session,
        name: Annotated[
            str | None, typer.Argument(metavar="ASSET|POINT", help="Else every point of every asset.")
        ] = None,
        region: Annotated[str | None, typer.Option("--region", help="Only this region's copies.")] = None,
        mode: Annotated[Mode, typer.Option("--mode", help="How deep to look.")] = Mode.FULL,
        limit_upload: LimitUpload = None,
        limit_download: LimitDownload = None,
        *,
        unverified: Annotated[bool, typer.Option("--unverified", help="Leave out what is verified already.")] = False,
    ) -> int:
        """Re-read copies and leave the result in their vault. Exit code 4 when something is damaged."""
        runtime, progress = limited(session, limit_upload, limit_download), session.progress()
        asset, point = asset_and_point(runtime, name) if name else (None, None)
        try:
            document = runtime.verify(asset, point, region, mode.value, progress, unverified=unverified)
        finally:
            progress.finish()
        session.output.show(document, lambda console: _tell(console, document["results"]))
        return 0 if all(result["ok"] for result in document["results"]) else IntegrityError.exit_code


def _tell(console: Console, results: list[dict[str, Any]]) -> None:
    body = [
        (
            r["asset"],
            r["point"],
            r["region"],
            "whole" if r["ok"] else "DAMAGED",
            size(r["bytes_read"]),
            span(r["seconds"]),
        )
        for r in results
    ]
    rows(console, HEADINGS, body)
    for result in results:
        for finding in result["findings"]:
            console.print(f"{result['region']} {result['point']}: {finding}")
    if not results:
        console.print("there is no copy to verify")

"""`drctl verify`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows, size, span
from dr_lib.cli.limits import LimitDownload, LimitUpload, limited
from dr_lib.cli.names import asset_and_point
from dr_lib.cli.session import Session, command
from dr_lib.errors import IntegrityError

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("asset", "point", "region", "found", "read", "took")
RUN_HEADINGS = ("asset", "region", "points", "found", "read", "took", "longest unread")


class Mode(StrEnum):
    """How deep: `structure` looks at what is there, `sample` reads the next part, `full` every byte."""

    STRUCTURE = "structure"
    SAMPLE = "sample"
    FULL = "full"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app,
        "verify",
        examples=[
            "drctl verify",
            "drctl verify minilm --region eu-west --mode structure",
            "drctl verify --mode sample --percent 5",
            "drctl verify --unverified --limit-download 50MB/s",
        ],
    )
    def verify(
        session: Session,
        name: Annotated[
            str | None, typer.Argument(metavar="ASSET|POINT", help="Else every point of every asset.")
        ] = None,
        region: Annotated[str | None, typer.Option("--region", help="Only this region's copies.")] = None,
        mode: Annotated[
            Mode, typer.Option("--mode", help="How deep: sample needs no key, full an identity.")
        ] = Mode.FULL,
        percent: Annotated[
            float | None, typer.Option("--percent", help="How much a sample reads; else what verify.within takes.")
        ] = None,
        limit_upload: LimitUpload = None,
        limit_download: LimitDownload = None,
        *,
        unverified: Annotated[bool, typer.Option("--unverified", help="Leave out what is verified already.")] = False,
    ) -> int:
        """Re-read copies and leave the result in their vault. Exit code 4 when something is damaged."""
        runtime, progress = limited(session, limit_upload, limit_download), session.progress()
        asset, point = asset_and_point(runtime, name) if name else (None, None)
        try:
            document = runtime.verify(
                asset, point, region, mode.value, progress, unverified=unverified, percent=percent
            )
        finally:
            progress.finish()
        session.output.show(document, lambda console: _tell(console, document, mode))
        return 0 if document["ok"] else IntegrityError.exit_code


def _tell(console: Console, document: dict[str, Any], mode: Mode) -> None:
    results = document["results"]
    shown = [r for r in results if mode is Mode.FULL or not r["ok"]]
    if shown:
        rows(console, HEADINGS, map(_row, shown))
    if mode is not Mode.FULL:
        rows(console, RUN_HEADINGS, map(_run_row, document["runs"]))
    for result in results:
        for finding in result["findings"]:
            console.print(f"{result['region']} {result['point']}: {finding}")
    for run in document["runs"]:
        for finding in run["findings"]:
            console.print(f"{run['region']} {run['asset']}: {finding}")
    if not results:
        console.print("there is no copy to verify")
    if not document["ok"]:
        console.print("next: drctl heal --region and the region's name")


def _row(result: dict[str, Any]) -> tuple[str, ...]:
    return (
        result["asset"],
        result["point"],
        result["region"],
        "whole" if result["ok"] else "DAMAGED",
        size(result["bytes_read"]),
        span(result["seconds"]),
    )


def _run_row(run: dict[str, Any]) -> tuple[str, ...]:
    oldest, within = run["coverage"]["oldest_s"], run["coverage"]["within_s"]
    return (
        run["asset"],
        run["region"],
        str(run["points"]),
        "whole" if run["ok"] else "DAMAGED",
        size(run["bytes_read"]),
        span(run["seconds"]),
        f"{span(oldest)} of {span(within)}" + (" OVERDUE" if run["coverage"]["overdue"] else ""),
    )

"""`drctl backup`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import copies, pairs, size, span
from dr_lib.cli.limits import LimitDownload, LimitUpload, limited
from dr_lib.cli.session import Session, command

QUARANTINED = 3

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app,
        "backup",
        examples=[
            "drctl backup minilm",
            "drctl backup minilm --region us-east --json",
            "drctl backup minilm --limit-upload 20MB/s",
        ],
    )
    def backup(
        session: Session,
        asset: Annotated[str, typer.Argument(help="An asset of dr.yaml.", show_default=False)],
        region: Annotated[
            list[str] | None, typer.Option("--region", help="Only this region; repeatable. Else all of the asset's.")
        ] = None,
        limit_upload: LimitUpload = None,
        limit_download: LimitDownload = None,
    ) -> int:
        """Back an asset up: a new recovery point in its first region, and copies in the others.

        A point that is unlike the last good one (see gates in dr.yaml) is stored in one region and put in quarantine:
        exit code 3, and `drctl quarantine list` says why.
        """
        progress = session.progress()
        try:
            document = limited(session, limit_upload, limit_download).backup(asset, region, progress)
        finally:
            progress.finish()
        session.output.show(document, lambda console: _tell(console, document))
        return QUARANTINED if (document.get("gate") or {}).get("quarantined") else 0


def _tell(console: Console, document: dict[str, Any]) -> None:
    facts = [
        ("point", document["point"]),
        ("asset", document["asset"]),
        ("files", document["files"]),
        ("size", size(document["logical_bytes"])),
        ("stored", f"{size(document['stored_bytes'])}, of it new {size(document['new_bytes'])}"),
        ("copies", copies(document["copies"])),
        ("took", span(document["seconds"])),
    ]
    gate = document.get("gate") or {}
    if gate.get("compared_with"):
        facts.append(("like", gate["compared_with"]) if not gate["quarantined"] else ("unlike", gate["compared_with"]))
    facts += [("QUARANTINE", text) for text in gate.get("findings", ())]
    facts += [("untold", text) for text in gate.get("untold", ())]
    pairs(console, facts + [("warning", text) for text in document.get("warnings", ())])

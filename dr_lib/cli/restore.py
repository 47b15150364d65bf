"""`drctl restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, size, span
from dr_lib.cli.limits import LimitDownload, LimitUpload, limited
from dr_lib.cli.session import Session, command
from dr_lib.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

LATEST = "latest"
EXAMPLES = (
    "drctl restore minilm --to /srv/minilm",
    "drctl restore minilm --to /srv/minilm --at 2026-11-23T18:00:00Z --region eu-west",
    "drctl restore minilm --to /tmp/config --include '*.json'",
    "drctl restore minilm --to /srv/minilm --limit-download 100MB/s",
    "drctl restore minilm --to /tmp/one --tensor embeddings.word_embeddings.weight",
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "restore", examples=EXAMPLES)
    def restore(
        session: Session,
        asset: Annotated[str, typer.Argument(help="An asset of dr.yaml.", show_default=False)],
        to: Annotated[str, typer.Option("--to", metavar="DIR", help="A directory that is absent or empty.")],
        point: Annotated[str, typer.Option("--point", help="A point's id, latest, or latest-verified.")] = LATEST,
        at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="The newest point of that moment.")] = None,
        region: Annotated[str | None, typer.Option("--region", help="Ask only this region.")] = None,
        include: Annotated[
            list[str] | None, typer.Option("--include", metavar="GLOB", help="Only these paths; repeatable.")
        ] = None,
        tensor: Annotated[
            list[str] | None,
            typer.Option("--tensor", metavar="NAME", help="Only this tensor, or FILE:NAME; repeatable."),
        ] = None,
        with_attachments: Annotated[
            str | None, typer.Option("--with-attachments", metavar="DIR", help="Put golden outputs and the like here.")
        ] = None,
        *,
        limit_upload: LimitUpload = None,
        limit_download: LimitDownload = None,
    ) -> None:
        """Restore a point. The target appears whole, every file checked, or not at all.

        Cut off or killed, the same command goes on where it ended. With --tensor the target gets one file,
        tensors.safetensors, and only the ranges that hold these tensors are fetched.
        """
        if at is not None and point != LATEST:
            raise UsageError("--at and --point contradict each other", hint="give one of them")
        progress = session.progress()
        globs, tensors = tuple(include or ()), tuple(tensor or ())
        try:
            runtime = limited(session, limit_upload, limit_download)
            document = runtime.restore(asset, to, point, at, region, globs, with_attachments, progress, tensors)
        finally:
            progress.finish()
        session.output.show(document, lambda console: _tell(console, document))


def _tell(console: Console, document: dict[str, Any]) -> None:
    phases = ", ".join(f"{name} {span(seconds)}" for name, seconds in document["phases"].items())
    facts = [
        ("restored", f"{document['point']} from {document['region']}"),
        ("into", document["target"]),
        ("files", f"{document['files']}, {size(document['bytes'])}"),
        ("took", f"{span(document['seconds'])} ({phases})"),
    ]
    if document.get("signature", "absent") != "absent":
        facts.append(("signature", document["signature"]))
    if document.get("kept_bytes"):
        facts.append(("kept", f"{size(document['kept_bytes'])} from the try before"))
    facts += [("WARNING", text) for text in document.get("warnings", ())]
    pairs(console, facts + [("repaired", text) for text in document.get("repairs", ())])

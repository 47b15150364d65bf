"""`--limit-upload` and `--limit-download` of the commands that move bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dr_lib.cli.session import Session

if TYPE_CHECKING:
    from dr_lib.runtime import Runtime

LimitUpload = Annotated[
    str | None,
    typer.Option("--limit-upload", metavar="RATE", help="At most so much to all regions, as 20MB/s; over dr.yaml."),
]
LimitDownload = Annotated[
    str | None,
    typer.Option("--limit-download", metavar="RATE", help="At most so much from all regions, as 512KiB/s."),
]


def limited(session: Session, upload: str | None, download: str | None) -> Runtime:
    """The session's runtime, kept to these rates; without any, dr.yaml's count."""
    runtime = session.runtime()
    return runtime.limited(upload, download) if upload or download else runtime

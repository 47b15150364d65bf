"""rclone: another plain copy to S3, with its defaults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.measuring import Command, said
from benchmarks.peers.tool import Place, Stored, absent
from dr_lib.errors import UsageError
from dr_lib.storage.rclone_command import rclone_binary


class Rclone:
    """`rclone sync` up, `rclone copy` down."""

    name = "rclone"

    def missing(self) -> str | None:
        """It is a pip package."""
        try:
            return absent(rclone_binary())
        except UsageError as error:
            return error.what

    def version(self) -> str:
        """As it tells it."""
        return f"{said(rclone_binary(), 'version')}, plain copy"

    def setup(self, place: Place) -> Sequence[Command]:
        """The bucket is enough."""
        del place
        return []

    def backup(self, place: Place) -> Command:
        """What differs in size or time."""
        return _rclone(place, "sync", str(place.source), f"bench:{place.bucket}/tree")

    def restore(self, place: Place, target: Path) -> Command:
        """All of it."""
        return _rclone(place, "copy", f"bench:{place.bucket}/tree", str(target))

    def restored(self, place: Place, target: Path) -> Path:
        """The target is the tree."""
        del place
        return target

    def stored(self, place: Place) -> Stored:
        """Everything in the bucket."""
        return Stored(sum(place.server.sizes(place.bucket).values()))


def _rclone(place: Place, *arguments: str) -> Command:
    remote = {
        "TYPE": "s3",
        "PROVIDER": "SeaweedFS",
        "ENDPOINT": place.server.endpoint,
        "ACCESS_KEY_ID": place.server.access_key,
        "SECRET_ACCESS_KEY": place.server.secret_key,
    }
    environment = {f"RCLONE_CONFIG_BENCH_{name}": value for name, value in remote.items()}
    return Command((rclone_binary(), *arguments, "--s3-no-check-bucket"), environment | {"RCLONE_CONFIG": "/dev/null"})

"""borg 1.2. It knows no S3: its repository is a directory on the local disk, so its times lack the server's share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.measuring import Command, said
from benchmarks.peers.tool import Place, Stored, absent


class Borg:
    """`borg create` and `borg extract`."""

    name = "borg"

    def missing(self) -> str | None:
        """It is a Debian package."""
        return absent("borg")

    def version(self) -> str:
        """As it tells it."""
        return f"{said('borg', '--version')}, local disk only, encrypted (repokey-blake2), compression zstd,1"

    def setup(self, place: Place) -> Sequence[Command]:
        """`borg init`."""
        return [_borg(place, "init", "--encryption", "repokey-blake2")]

    def backup(self, place: Place) -> Command:
        """An archive named by the moment, of paths below the source."""
        return _borg(place, "create", "--compression", "zstd,1", "::{utcnow:%Y%m%dT%H%M%S.%f}", ".", cwd=place.source)

    def restore(self, place: Place, target: Path) -> Command:
        """The newest archive, whose name borg has to be asked for; it extracts into the current directory."""
        target.mkdir(parents=True)
        script = 'exec borg extract "::$(borg list --last 1 --short)"'
        return Command(("sh", "-c", script), _surroundings(place), target)

    def restored(self, place: Place, target: Path) -> Path:
        """The target is the tree."""
        del place
        return target

    def stored(self, place: Place) -> Stored:
        """Everything in the repository's segments."""
        data = place.folder / "repository" / "data"
        return Stored(sum(path.stat().st_size for path in data.rglob("*") if path.is_file()))


def _borg(place: Place, *arguments: str, cwd: Path | None = None) -> Command:
    return Command(("borg", *arguments), _surroundings(place), cwd)


def _surroundings(place: Place) -> dict[str, str]:
    return {
        "BORG_REPO": str(place.folder / "repository"),
        "BORG_PASSPHRASE": "benchmark",
        "BORG_BASE_DIR": str(place.folder),
        "BORG_DISPLAY_PASSPHRASE": "no",
    }

"""What the benchmark asks of a tool."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.peers.measuring import Command
from benchmarks.peers.server import Server


@dataclass(frozen=True)
class Place:
    """Where a tool works for one turn: the live source, an empty bucket, and an empty folder for all its own things.

    `kind` is what dr.yaml calls such a source: `model` or `dataset`.
    """

    source: Path
    kind: str
    server: Server
    bucket: str
    folder: Path


@dataclass(frozen=True)
class Stored:
    """Bytes in the store: all of them, and those that are not content (0 where a tool mixes the two)."""

    total: int
    metadata: int = 0


class Tool(Protocol):
    """A way to keep a directory elsewhere. Commands are only named here; who measures runs them."""

    @property
    def name(self) -> str:
        """What it is called in tables, and part of its buckets' names."""

    def missing(self) -> str | None:
        """Why it cannot be measured here, or None."""

    def version(self) -> str:
        """Name, version, and the settings that matter."""

    def setup(self, place: Place) -> Sequence[Command]:
        """What makes a repository ready; not measured."""

    def backup(self, place: Place) -> Command:
        """Keep the source as it is now."""

    def restore(self, place: Place, target: Path) -> Command:
        """Bring the newest state back below `target`, a path that is absent."""

    def restored(self, place: Place, target: Path) -> Path:
        """Where below `target` the tree lies then."""

    def stored(self, place: Place) -> Stored:
        """What is stored now."""


def beside_python(program: str) -> str:
    """Path of a program that pip put beside the running Python, else its bare name."""
    path = Path(sys.executable).with_name(program)
    return str(path) if path.is_file() else program


def absent(program: str) -> str | None:
    """Why a program cannot be run, or None."""
    return None if shutil.which(program) else f"{Path(program).name} is not installed"

"""How the pieces of evidence of an asset hang together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """Evidence by its key and the SHA-256 of its bytes, in hex."""

    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """Evidence of one drill, and the one that it names as the one before it. `chained`: it belongs to a version whose
    statements name one; without `previous` it says that there was none."""

    drill: str
    own: Link
    previous: Link | None
    chained: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that must not be: the drill whose evidence it concerns, where it lies, and what is wrong."""

    drill: str
    where: str
    what: str

"""A recovery kit: the one file in each vault that reads it where nothing of ours is installed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KitFacts:
    """What is signed of a kit: `sha256` (hex) of it without the signature, the `format` of the vaults that it reads,
    the version of the program that made it and when. `signed_by` are those of the trusted who did."""

    sha256: str
    format: int
    version: str
    made_at: datetime
    signed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KitState:
    """How the kit of a region stands. `key` is that of the newest, empty where there is none; `problem` is for people,
    empty when it is whole, signed and reads this vault. `facts` is None where they cannot be believed."""

    region: str
    key: str = ""
    size: int = 0
    sha256: str = ""
    facts: KitFacts | None = None
    problem: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the kit that is here may be used."""
        return self.facts is not None and not self.problem

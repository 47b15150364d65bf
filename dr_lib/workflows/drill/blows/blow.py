"""What every blow has in common, and how one is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dr_lib.storage.base import RegionJanitor


@dataclass(frozen=True, slots=True)
class Tools:
    """What blows are dealt and undone with: each region's janitor, the environment and the folder of commands, and a
    private folder that is kept until the undoing is done."""

    janitor: Callable[[str], RegionJanitor]
    environ: Mapping[str, str]
    cwd: Path
    kept: Path


class Blow(Protocol):
    """One harm. A frozen dataclass of plain values, so that it can be written down before it is dealt; no secrets.

    `undo` is right after no blow, half of one, a whole one, and after itself. Both raise errors of `dr_lib.errors`.
    """

    @property
    def target(self) -> str:
        """What is hit; two drills never hit the same at once."""
        ...

    def strike(self, tools: Tools) -> str:
        """Deal it, and say how in plain words."""
        ...

    def undo(self, tools: Tools) -> str | None:
        """Bring back what was before; what a person should know about it, else None."""
        ...


Plain = dict[str, Any]

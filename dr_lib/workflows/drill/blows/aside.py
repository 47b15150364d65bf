"""A directory is taken away: the live data, or what this machine remembers."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.durable import rename


@dataclass(frozen=True, slots=True)
class AsideBlow:
    """`path` is renamed to `aside`, its neighbour. `disposable`: what somebody puts in its place meanwhile is worth
    nothing; else it is kept beside it when the directory comes back."""

    path: str
    aside: str
    disposable: bool

    @property
    def target(self) -> str:
        """The directory."""
        return f"directory {self.path}"

    def strike(self, tools: Tools) -> str:  # noqa: ARG002 - the protocol's signature
        """One rename; a directory that is not there is as good as taken away."""
        if not Path(self.path).exists():
            return f"{Path(self.path).name} was not there to begin with"
        rename(Path(self.path), Path(self.aside))
        return f"{Path(self.path).name} was taken away"

    def undo(self, tools: Tools) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Rename it back. Nothing that is not the drill's is removed."""
        path, aside, newer = Path(self.path), Path(self.aside), Path(f"{self.aside}.newer")
        if aside.exists():
            if path.exists():
                rename(path, newer)
            rename(aside, path)
        if self.disposable:
            shutil.rmtree(newer, ignore_errors=True)
        return f"what was put in the place of {path} meanwhile is in {newer}" if newer.exists() else None

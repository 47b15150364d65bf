"""What a control is asked, and the JSON in which question and answer cross between the processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dr_lib.model.asset import AssetKind
from dr_lib.model.drill import Control, Sensitivity
from dr_lib.standby.smoke.request import SmokeRequest

OLDER: Final = "a file of an older point"
NAMES: Final = {
    AssetKind.MODEL: ("a tensor perturbed", "two layers swapped", OLDER),
    AssetKind.DATASET: ("a column perturbed", "two columns swapped", OLDER),
}
"""What is done to copies, in this order."""


@dataclass(frozen=True, slots=True)
class Older:
    """The file `path` of the asset as the point `said` had it, below `directory`; no path: there is none, as `said`
    tells."""

    said: str
    path: str = ""
    directory: Path | None = None


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """One control of what `smoke` tests. `seed` decides what is damaged; the detection limit is looked for at most for
    `search_s` seconds."""

    smoke: SmokeRequest
    seed: str
    older: Older
    search_s: float = 60.0

    @property
    def names(self) -> tuple[str, ...]:
        """What is to be done to copies."""
        return NAMES[self.smoke.kind]

    @property
    def timeout_s(self) -> float:
        """As long as so many smoke tests may take, an undamaged copy's among them, and the search."""
        return self.smoke.timeout_s * (len(self.names) + 1) + self.search_s

    def task(self) -> dict[str, Any]:
        """The request as the child reads it."""
        older = {"said": self.older.said, "path": self.older.path, "directory": str(self.older.directory or "")}
        more = {"seed": self.seed, "older": older, "search_s": self.search_s}
        return self.smoke.task() | {"task": f"control-{self.smoke.kind}"} | more


def sensitivity_from_json(document: dict[str, Any]) -> Sensitivity:
    """The child's answer; `seconds` are not its to tell."""
    controls = tuple(Control(**one) for one in document["controls"])
    return Sensitivity(controls, document.get("limit"), document.get("tensor", ""), note=document.get("note", ""))

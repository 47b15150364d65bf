"""The disasters that drills rehearse: what each one does to the world, and what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Expected(StrEnum):
    """What a drill must end with: the asset is back, or the standby is refused before a byte is fetched."""

    RECOVERY = "recovery"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A disaster by its name; `words` say what happens. `loses_region`: the drill must do without one region.
    `by_kit`: nothing of ours is there but the recovery kit. `of_orchestrator`: it befalls Airflow itself, and no other
    asset."""

    name: str
    words: str
    loses_region: bool = True
    expected: Expected = Expected.RECOVERY
    by_kit: bool = False
    of_orchestrator: bool = False


_ALL: Final = (
    Scenario("region-lost", "a region and the live data are gone"),
    Scenario("pack-damaged", "a byte of a stored pack rotted in the region that is asked first", loses_region=False),
    Scenario("points-deleted", "somebody deleted every point of the asset in one region"),
    Scenario("source-encrypted", "the live data was encrypted in place by ransomware", loses_region=False),
    Scenario("credentials-revoked", "a region refuses our credentials"),
    Scenario("slow-link", "the link to the surviving region is slow"),
    Scenario("catalog-lost", "everything this machine remembered of the vaults is gone", loses_region=False),
    Scenario("key-lost", "the operations key is gone; the escrow key is left", loses_region=False),
    Scenario("clock-skewed", "this machine's clock is hours off", loses_region=False),
    Scenario(
        "bare-machine", "one vault and the escrow key are left, and a machine with Python alone", loses_region=False,
        by_kit=True,
    ),
    Scenario("airflow-database-lost", "Airflow's metadata database is gone", loses_region=False, of_orchestrator=True),
    Scenario(
        "standby-too-small", "the standby has less room than the asset needs", loses_region=False,
        expected=Expected.REFUSAL,
    ),
)  # fmt: skip

SCENARIOS: Final = {scenario.name: scenario for scenario in _ALL}
"""Every scenario by its name, in the order in which a plan rotates through them."""

"""Bringing assets back: for use, and for proof."""

from __future__ import annotations

from typing import Any

from dr_airflow.operators.base import Facts, RecoveryOperator, open_runtime
from dr_lib.errors import ObjectiveMissed

PROVEN = "proven"


class RestoreOperator(RecoveryOperator):
    """Restores `point` (an id or `latest`) of `asset` into `target`, a directory that is empty or not there yet.

    `region` is the one to read from; the best one is chosen when it is empty.
    """

    template_fields = ("asset", "target", "point", "region")

    def __init__(self, *, asset: str, target: str, point: str = "latest", region: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.target = target
        self.point = point
        self.region = region

    def work(self) -> Facts:
        """What was restored, from where, in which time."""
        return open_runtime().restore(
            self.asset,
            self.target,
            point=self.point or "latest",
            region=self.region or None,
            progress=self.progress(),
        )


class DrillOperator(RecoveryOperator):
    """Restores `asset` into the standby as if `region` were lost since `disaster_at`, and measures it.

    `disaster_at` is an ISO 8601 time with its offset; empty means now. The task succeeds when the measurement
    does; whether the objectives held is said by `DrillVerdictOperator`, a leaf that nothing can mask.
    """

    template_fields = ("asset", "scenario", "region", "disaster_at")

    def __init__(
        self, *, asset: str, scenario: str = "", region: str = "", disaster_at: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.scenario = scenario
        self.region = region
        self.disaster_at = disaster_at

    def work(self) -> Facts:
        """The drill as `Runtime.drill` reports it."""
        return open_runtime().drill(
            self.asset,
            scenario=self.scenario or None,
            region=self.region or None,
            disaster_at=self.disaster_at or None,
        )


class DrillVerdictOperator(RecoveryOperator):
    """Succeeds exactly when `report`, the result of a `DrillOperator`, says that the objectives were proven."""

    template_fields = ("report",)

    def __init__(self, *, report: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report = report

    def work(self) -> Facts:
        """The verdict; `ObjectiveMissed` when it is anything but `proven`."""
        verdict = self.report["verdict"]
        if verdict != PROVEN:
            reasons = "; ".join(self.report["reasons"]) or "no reason was given"
            raise ObjectiveMissed(f"{verdict}: {reasons}", where=self.report["drill"])
        return {"verdict": verdict}

"""Operators that look at everything and judge it: the catalog, and whether all objectives hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dr_airflow.operators.base import Facts, RecoveryOperator, open_runtime
from dr_lib.errors import ObjectiveMissed

_NOT_WELL: Final = ("failing", "unknown", "never_seen")
_NAMED: Final = 20
"""Assets that a failed run names at the most; the page has all."""


class RefreshCatalogOperator(RecoveryOperator):
    """Looks at the `assets` in all their regions and writes what is seen into the catalog.

    XCom: the problems of each asset that has any. It succeeds whatever it sees: the look is the work.
    """

    template_fields = ("assets",)

    def __init__(self, *, assets: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.assets = assets

    def work(self) -> Facts:
        """`{asset: [problem, …]}`, without assets that are well."""
        told = open_runtime().refresh_catalog(tuple(self.assets))
        found = {one["asset"]: one["problems"] for one in told["assets"] if one["problems"]}
        for asset, problems in found.items():
            self.log.warning("%s: %s", asset, "; ".join(problems))
        return found


class FreshnessOperator(RecoveryOperator):
    """Succeeds exactly when the catalog says, now, that every asset of dr.yaml is protected.

    It is asked after a refresh, whatever became of that: what was not looked at for long counts as unknown, and fails.
    """

    def work(self) -> Facts:
        """The overview; `ObjectiveMissed` names the assets that fail and those of which nothing is known."""
        runtime = open_runtime()
        overview = runtime.overview()
        if not any(overview[name] for name in _NOT_WELL):
            return overview
        named = [one for one in runtime.asset_views(limit=_NAMED) if one["protection"] != "protected"]
        counts = ", ".join(f"{overview[name]} {name.replace('_', ' ')}" for name in _NOT_WELL)
        told = " | ".join(_sentence(one) for one in named)
        raise ObjectiveMissed(f"{counts}: {told}", hint="drctl status asks the regions themselves")


class AlarmOperator(RecoveryOperator):
    """Tells people what is new about the assets, by the catalog's word: what is not protected, and what is again.

    Who is told says `alerts:` of dr.yaml. A message that was not taken fails the task; all of it is told again.
    """

    def work(self) -> Facts:
        """How many alerts were raised, are still so, are over, and were told lately."""
        found = open_runtime().alarm_assets()
        if not found["recipients"]:
            self.log.warning("dr.yaml names nobody under alerts: so nobody is told")
        return found


def _sentence(view: Facts) -> str:
    if view["protection"] == "unknown":
        return f"{view['asset']} is unknown: nobody looked at it since {view['observed_at']}"
    why = "; ".join(view["problems"]) or "the newest verified point is older than the RPO allows"
    return f"{view['asset']} is {view['protection']}: {why}"

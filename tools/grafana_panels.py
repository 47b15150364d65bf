"""The kinds of panels that the dashboard has. Each takes PromQL and says what its values are of."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE: Final = DataSourceRef("prometheus", "prometheus")
HEIGHT: Final = 8
_REFS: Final = "ABCDEFGHIJ"

Panel = Any
"""Panels share their methods and no base class."""


def number(
    title: str, width: int, expr: str, alarming: str | None = None, *, unit: str = "none", legend: str = ""
) -> Panel:
    """One value large, or one a label; green, and from 1 on of the colour `alarming`."""
    steps = [Threshold(None, "green"), *([Threshold(1, alarming)] if alarming else [])]
    levels = ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    last = ReduceDataOptions().calcs(["lastNotNull"])
    panel = stat.Panel().title(title).span(width).height(4).unit(unit).thresholds(levels).reduce_options(last)
    query = Dataquery().expr(expr).legend_format(legend or title).instant().ref_id("A").datasource(SOURCE)
    return panel.no_value("unknown").with_target(query)


def lines(title: str, width: int, unit: str, queries: dict[str, str]) -> Panel:
    """Values over time, by the form of their legend; what is promised is dashed."""
    panel = timeseries.Panel().title(title).span(width).height(HEIGHT).unit(unit).min(0)
    for ref, (legend, expr) in zip(_REFS, queries.items(), strict=False):
        panel = panel.with_target(Dataquery().expr(expr).legend_format(legend).range().ref_id(ref).datasource(SOURCE))
    dashes = DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 8]})
    return panel.override_by_regexp("/, promised$/", [dashes])


def columns(title: str, width: int, queries: dict[str, str], units: dict[str, str]) -> Panel:
    """A table with a column of each query's values, joined by what they are of."""
    panel, names = table.Panel().title(title).span(width).height(HEIGHT), {}
    for ref, (name, expr) in zip(_REFS, queries.items(), strict=False):
        panel = panel.with_target(_instant(expr, ref))
        names[f"Value #{ref}"] = name
    for name, unit in units.items():
        panel = panel.override_by_name(name, [DynamicConfigValue("unit", unit)])
    told = {"excludeByName": {"Time": True}, "renameByName": names}
    return panel.with_transformation(_step("merge", {})).with_transformation(_step("organize", told))


def matrix(title: str, width: int, expr: str) -> Panel:
    """Assets by regions; an empty cell is not known."""
    told = {"rowField": "asset", "columnField": "region", "valueField": "Value", "emptyValue": "null"}
    panel = table.Panel().title(title).span(width).height(HEIGHT).unit("s").no_value("unknown")
    return panel.with_target(_instant(expr, "A")).with_transformation(_step("groupingToMatrix", told))


def _instant(expr: str, ref: str) -> Dataquery:
    return Dataquery().expr(expr).instant().format(PromQueryFormat.TABLE).ref_id(ref).datasource(SOURCE)


def _step(name: str, options: dict[str, Any]) -> DataTransformerConfig:
    return DataTransformerConfig(name, options=options)

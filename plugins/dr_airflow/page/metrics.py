"""The recovery figures for Prometheus. What is not known has no sample: an absent one is to be alarmed on, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_HELP: Final = {
    "dr_assets": "Assets by how they stand now.",
    "dr_alerts": "Open alerts by severity.",
    "dr_catalog_stale_after_seconds": "An asset that was looked at longer ago than this counts as unknown.",
    "dr_protected": "1 when the asset has a verified point as young as its RPO demands and no problem, else 0.",
    "dr_known": "1 when the asset was looked at lately enough for anything to be claimed of it, else 0.",
    "dr_problems": "Problems that the last look found.",
    "dr_failing_since_timestamp_seconds": "The first look in a row that found problems.",
    "dr_observed_timestamp_seconds": "When the asset was last looked at.",
    "dr_points": "Points of the asset.",
    "dr_logical_bytes": "Bytes of the asset at its newest point.",
    "dr_stored_bytes": "Bytes that the newest point of the asset takes in a region.",
    "dr_rpo_seconds": "Age of the newest verified point in any region.",
    "dr_rpo_objective_seconds": "Promised RPO.",
    "dr_rto_objective_seconds": "Promised RTO.",
    "dr_verify_within_seconds": "Within this time every stored byte is promised to be read again.",
    "dr_region_rpo_seconds": "Age of the newest point that is verified in that region.",
    "dr_region_answers": "1 when the region answered at the last look, else 0.",
    "dr_region_unread_seconds": "For how long the byte that waited longest there was not read again.",
    "dr_region_points": "Points of the asset that the region holds.",
    "dr_region_copy": "1: so stands the newest point's copy there.",
    "dr_region_locked_until_timestamp_seconds": "Until when the newest point's copy there is locked.",
    "dr_drill_proven": "1 when the newest drill of the scenario proved what it was to prove, else 0.",
    "dr_drill_finished_timestamp_seconds": "When the newest drill of the scenario was over.",
    "dr_drill_rto_seconds": "What the newest drill of the scenario took to bring the asset back.",
    "dr_drill_rpo_seconds": "Age of the point that the newest drill of the scenario brought back.",
    "dr_drill_due_timestamp_seconds": "When a drill of the asset was last due.",
    "dr_serving_promised": "1: dr.yaml has this endpoint.",
    "dr_serving_observed_timestamp_seconds": "When the endpoint was last looked at.",
    "dr_serving_problem": "1 when its callers were not served well at the last look, else 0.",
    "dr_serving_site": "1 when the switch sent requests to that site at the last look, else 0.",
    "dr_serving_healthy": "1 when that site answered rightly at the last look, else 0.",
    "dr_serving_moving": "1 while somebody held the endpoint's lease at the last look, else 0.",
}
"""Every metric there is; docs/operations.md lists them, too."""

Facts = Mapping[str, Any]
Sample = tuple[str, float | None, dict[str, str]]


def exposition(figures: Facts) -> bytes:
    """`Runtime.figures` in the text form (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(figures))
    return generate_latest(registry)


class _Figures(Collector):
    """One scrape."""

    def __init__(self, figures: Facts) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Families that have a sample."""
        families: dict[str, GaugeMetricFamily] = {}
        for name, value, labels in _samples(self._figures):
            if value is None:
                continue
            if name not in families:
                families[name] = GaugeMetricFamily(name, _HELP[name], labels=list(labels))
            families[name].add_metric(list(labels.values()), float(value))
        return families.values()


def _samples(figures: Facts) -> Iterator[Sample]:
    """Each group of figures yields its own; a group more is one line more here."""
    yield from _of_all(figures)
    for view in figures["assets"]:
        yield from _of_asset(view)
        for region in view["regions"]:
            yield from _of_region(view["asset"], region)
    for asset, promise in figures["promises"].items():
        yield "dr_verify_within_seconds", promise["verify_within_s"], {"asset": asset}
        yield "dr_drill_due_timestamp_seconds", _seconds(promise["drill_due_at"]), {"asset": asset}
    for drill in figures["drills"]:
        yield from _of_drill(drill)
    for name in figures["endpoints"]:
        yield "dr_serving_promised", 1, {"endpoint": name}
    for seen in figures["serving"]:
        yield from _of_endpoint(seen)


def _of_all(figures: Facts) -> Iterator[Sample]:
    for state in ("protected", "failing", "unknown", "never_seen"):
        yield "dr_assets", figures["overview"][state], {"state": state}
    for severity, count in figures["alerts"].items():
        yield "dr_alerts", count, {"severity": severity}
    yield "dr_catalog_stale_after_seconds", figures["stale_after_s"], {}


def _of_asset(view: Facts) -> Iterator[Sample]:
    labels = {"asset": view["asset"]}
    yield "dr_protected", view["protection"] == "protected", labels
    yield "dr_known", view["protection"] != "unknown", labels
    yield "dr_problems", len(view["problems"]), labels
    yield "dr_failing_since_timestamp_seconds", _seconds(view["failing_since"]), labels
    yield "dr_observed_timestamp_seconds", _seconds(view["observed_at"]), labels
    yield "dr_points", view["points"], labels
    yield "dr_logical_bytes", view["logical_bytes"], labels
    yield "dr_stored_bytes", view["stored_bytes"], labels
    yield "dr_rpo_seconds", view["rpo_s"], labels
    yield "dr_rpo_objective_seconds", view["rpo_objective_s"], labels
    yield "dr_rto_objective_seconds", view["rto_objective_s"], labels


def _of_region(asset: str, region: Facts) -> Iterator[Sample]:
    labels = {"asset": asset, "region": region["region"]}
    yield "dr_region_rpo_seconds", region["rpo_s"], labels
    yield "dr_region_answers", not region["silent"], labels
    yield "dr_region_unread_seconds", region["unread_s"], labels
    yield "dr_region_points", None if region["silent"] else region["points"], labels
    yield "dr_region_copy", 1, labels | {"state": region["state"]}
    yield "dr_region_locked_until_timestamp_seconds", _seconds(region["locked_until"]), labels


def _of_drill(drill: Facts) -> Iterator[Sample]:
    labels = {"asset": drill["asset"], "scenario": drill["scenario"]}
    yield "dr_drill_proven", drill["verdict"] == "proven", labels
    yield "dr_drill_finished_timestamp_seconds", _seconds(drill["finished_at"]), labels
    yield "dr_drill_rto_seconds", drill["rto_s"], labels
    yield "dr_drill_rpo_seconds", drill["rpo_s"], labels


def _of_endpoint(seen: Facts) -> Iterator[Sample]:
    """Nothing but its age of one that nobody looked at for long: what was so then is not known now."""
    labels = {"endpoint": seen["endpoint"]}
    yield "dr_serving_observed_timestamp_seconds", _seconds(seen["observed_at"]), labels
    if seen["stale"]:
        return
    yield "dr_serving_problem", bool(seen["problem"]), labels
    yield "dr_serving_moving", bool(seen["holder"]), labels
    for site in ("primary", "standby"):
        yield "dr_serving_site", seen["traffic"] in (site, "both"), labels | {"site": site}
        yield "dr_serving_healthy", seen[f"{site}_stands"] == "healthy", labels | {"site": site}


def _seconds(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()

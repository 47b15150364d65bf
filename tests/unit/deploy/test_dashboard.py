"""Grafana's dashboard: the committed file is what the script makes, and Grafana is told where it lies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dr_airflow.page import metrics

from tools import dashboard

GRAFANA = Path(__file__).resolve().parents[3] / "deploy" / "grafana"
MADE: dict[str, Any] = json.loads(dashboard.rendered())
PANELS = [panel for panel in MADE["panels"] if panel["type"] != "row"]


def test_the_committed_file_is_what_the_script_makes():
    assert dashboard.PLACE.read_text() == dashboard.rendered(), "python -m tools.dashboard"


def test_it_is_read_back_as_what_was_made():
    """By the types that Grafana's schema gives: what they do not know would be gone. They add what is so by default."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(MADE)))
    assert list(lost(MADE, read)) == []
    assert list(lost({"panels": [{"nonsense": 1}]}, read)) == [".panels[0].nonsense"]


def lost(made: Any, read: Any, place: str = "") -> Iterator[str]:
    """Where `read` lacks what `made` says."""
    if isinstance(made, dict) and isinstance(read, dict):
        for name, value in made.items():
            yield from lost(value, read.get(name), f"{place}.{name}")
    elif isinstance(made, list) and isinstance(read, list) and len(made) <= len(read):
        for number, value in enumerate(made):
            yield from lost(value, read[number], f"{place}[{number}]")
    elif made != read:
        yield place


def test_panels_lie_side_by_side():
    taken: dict[tuple[int, int], str] = {}
    for panel in MADE["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    assert len({panel["id"] for panel in MADE["panels"]}) == len(MADE["panels"])


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_metrics_that_there_are(panel: dict[str, Any]):
    asked = {name for target in panel["targets"] for name in re.findall(r"\bdr_[a-z_]+", target["expr"])}
    assert asked
    assert asked <= set(metrics._HELP)
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_grafana_finds_the_dashboard_and_its_source():
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/disaster-recovery.yaml").read_text())["providers"]
    assert provider["options"] == {"path": "/var/lib/grafana/dashboards"}
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert (source["uid"], source["type"]) == ("prometheus", "prometheus")
    used = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert used == {source["uid"]}

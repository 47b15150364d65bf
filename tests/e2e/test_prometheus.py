"""The real Prometheus over a real API server: alerts fire and clear with what regions hold, and panels have data."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.clock import utc_now
from dr_lib.runtime import Runtime
from tests.stack.api_server import api_server
from tests.stack.prometheus import Prometheus, prometheus
from tests.world import ASSET, World, make_world

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboards" / "disaster-recovery.json").read_text())
TOKEN = "0123456789abcdef, for this test alone"

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not here: bash tools/system.sh prometheus"
)


@dataclass(frozen=True)
class Watched:
    """A world that is watched by Prometheus."""

    world: World
    runtime: Runtime
    prometheus: Prometheus

    def protect(self) -> None:
        """A backup now, that is verified, and known to be."""
        self.runtime.backup(ASSET)
        assert self.runtime.verify(ASSET)["ok"]
        self.runtime.refresh_catalog()

    def fires(self, alert: str) -> None:
        self.prometheus.await_that(lambda: alert in self.prometheus.firing())

    def is_over(self, alert: str) -> None:
        self.prometheus.await_that(lambda: alert not in self.prometheus.firing())


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Its only point is an hour old, which is twice its RPO."""
    folder = tmp_path_factory.mktemp("w") / "w"
    token = folder / "token"
    promised = {"kind": "dataset", "objectives": {"rpo": "30m", "rto": "15m"}}
    world = make_world(folder, asset=promised, metrics={"token": f"file:{token}"})
    token.write_text(TOKEN)
    (world.source / "data.csv").write_text("a,b\n1,2\n3,4\n")
    os.utime(world.source / "data.csv", (0, 0))
    before = Runtime.load(
        world.config(),
        environ={"DR_STANDBY_DIR": str(folder / "standby")},
        clock=lambda: utc_now() - timedelta(hours=1),
    )
    before.backup(ASSET)
    assert before.verify(ASSET)["ok"]
    assert world.runtime.drill(ASSET)["rto_s"] > 0
    _serve(world)
    world.runtime.refresh_catalog()
    home = tmp_path_factory.mktemp("airflow")
    with api_server(home, world.config()) as url:
        targets = {"disaster-recovery": url.removeprefix("http://")}
        with prometheus(folder / "prometheus", targets, token) as running:
            yield Watched(world, Runtime.load(world.config()), running)


def _serve(world: World) -> None:
    """A model that is served, by nobody: its endpoint was looked at, and there is a problem."""
    document = json.loads(world.config().read_text())
    document["assets"]["served"] = {"kind": "model", "source": str(world.source), "regions": ["one", "two"]}
    (world.folder / "site").write_text("us")
    document["serving"] = {
        "api": {
            "asset": "served",
            "url": "http://127.0.0.1:9",
            "primary": {"url": "http://127.0.0.1:9/us"},
            "standby": {"url": "http://127.0.0.1:9/eu", "directory": "served"},
            "switch": {"kind": "file", "path": "site", "primary": "us", "standby": "eu"},
            "health": {"interval": "10ms"},
        }
    }
    world.config().write_text(json.dumps(document))
    assert Runtime.load(world.config()).watch_endpoint("api")["problem"]


def test_the_scrape_works_with_the_token_alone(watched: Watched):
    watched.prometheus.await_that(lambda: bool(watched.prometheus.values('up{job="disaster-recovery"} == 1')))
    watched.is_over("DrMetricsAbsent")
    assert [one["lastError"] for one in watched.prometheus.asked("targets")["activeTargets"]] == [""]


def test_a_broken_rpo_fires_and_a_new_verified_backup_clears_it(watched: Watched):
    watched.fires("DrRpoBroken")
    (alert,) = watched.prometheus.firing()["DrRpoBroken"]
    assert (alert["labels"]["asset"], alert["labels"]["severity"]) == (ASSET, "critical")
    assert (ROOT / "runbooks" / alert["annotations"]["runbook"]).is_file()
    watched.protect()
    watched.is_over("DrRpoBroken")


def test_a_region_that_is_gone_fires_and_its_return_clears_it(watched: Watched):
    """The scrape itself asks no region: it goes on, and says what the last look saw."""
    place = watched.world.regions["one"]
    away = place.with_name("away")
    place.rename(away)
    try:
        watched.runtime.refresh_catalog()
        watched.fires("DrRegionSilent")
        (alert,) = watched.prometheus.firing()["DrRegionSilent"]
        silent = watched.prometheus.values('dr_region_answers{region="one"}')
        assert "DrMetricsAbsent" not in watched.prometheus.firing()
    finally:
        away.rename(place)
    assert (alert["labels"]["region"], {one["value"][1] for one in silent}) == ("one", {"0"})
    watched.runtime.refresh_catalog()
    watched.is_over("DrRegionSilent")


def test_what_alerts_say_can_be_said(watched: Watched):
    for alerts in watched.prometheus.firing().values():
        for alert in alerts:
            assert "error" not in "".join(alert["annotations"].values()), alert


def queries() -> Iterator[tuple[str, str]]:
    """Every query of every panel, with its variables as they are at first."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$asset", ".*")


@pytest.mark.parametrize(("panel", "expr"), list(queries()))
def test_every_panel_has_data(watched: Watched, panel: str, expr: str):
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        found[:] = watched.prometheus.values(expr)
        return bool(found)

    watched.prometheus.await_that(is_there, seconds=20)
    assert all(re.fullmatch(r"-?\d[\d.e+-]*", one["value"][1]) for one in found), (panel, found)


def test_the_choice_of_assets_has_them(watched: Watched):
    (variable,) = DASHBOARD["templating"]["list"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
    assert {one["metric"][label] for one in watched.prometheus.values(metric)} == {ASSET, "served"}


def test_nobody_looking_is_an_alert_and_no_figures_are_one(watched: Watched):
    """Last, because it takes the catalog away."""
    catalog = watched.world.folder / ".dr-state" / "catalog.sqlite"
    away = catalog.with_name("away")
    catalog.rename(away)
    try:
        watched.fires("DrMetricsAbsent")
        (target,) = watched.prometheus.asked("targets")["activeTargets"]
        assert "503" in target["lastError"]
    finally:
        away.rename(catalog)
    watched.is_over("DrMetricsAbsent")

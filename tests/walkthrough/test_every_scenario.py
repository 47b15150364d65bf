"""Every disaster that drills rehearse, brought over real S3 regions by the demo's own levers, survived and undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.demo.configuration import write_configuration
from dr_lib.demo.keys import make_keys
from dr_lib.demo.regions import REGIONS, DemoRegions, new_credentials
from dr_lib.demo.workspace import Workspace
from dr_lib.model.scenario import SCENARIOS
from dr_lib.runtime import Runtime
from dr_lib.use_cases.rehearsing import journal_of, tools_of
from dr_lib.workflows.drill.blows.encrypted import MARK, EncryptedBlow
from dr_lib.workflows.drill.journal import Entry
from tests.world import tree

ASSET = "tiny"
LOST = REGIONS[0]
OWN = [name for name, scenario in SCENARIOS.items() if not scenario.of_orchestrator]
"""tests/e2e/test_recover_orchestrator.py has the others."""
ALIVE_S = 60.0


@dataclass(frozen=True)
class Site:
    """The demo's regions, levers and keys, over an asset that is small."""

    workspace: Workspace
    regions: DemoRegions
    environ: dict[str, str]
    before: dict[str, Any]

    def runtime(self) -> Runtime:
        return Runtime.load(self.workspace.config_file, environ=self.environ)

    def source(self) -> Path:
        return self.workspace.sources / ASSET

    def journal(self) -> list[Entry]:
        return journal_of(self.runtime()._wiring).entries()

    def is_as_before(self) -> None:
        assert self.journal() == []
        assert tree(self.source()) == self.before
        assert sorted(path.name for path in self.workspace.sources.iterdir()) == [ASSET]
        checks = {check["name"]: check["ok"] for check in self.runtime().doctor()["checks"]}
        assert [checks[f"region {region}"] for region in REGIONS] == [True] * len(REGIONS)


@pytest.fixture(scope="module")
def site(tmp_path_factory, shelf: Path) -> Iterator[Site]:
    workspace = Workspace(tmp_path_factory.mktemp("scenarios") / "site")
    workspace.write_secrets(new_credentials())
    make_keys(workspace)
    regions = DemoRegions(workspace)
    try:
        yield prepared(workspace, regions, shelf)
    finally:
        with ThreadPoolExecutor() as threads:
            list(threads.map(regions.lose, REGIONS))
        regions.end_unrecorded()


def prepared(workspace: Workspace, regions: DemoRegions, shelf: Path) -> Site:
    live = workspace.sources / ASSET
    live.mkdir(parents=True)
    random = np.random.default_rng(5)
    values = random.standard_normal((4000, 6))
    pd.DataFrame(values, columns=list("abcdef")).to_parquet(live / "table.parquet")
    regions.start_missing()
    configure(workspace, regions)
    local = {"DR_STANDBY_DIR": workspace.home / "standby", "DR_CACHE_DIR": workspace.home / "cache", "DR_KIT": shelf}
    environ = {**os.environ, **workspace.read_secrets(), **{name: str(path) for name, path in local.items()}}
    runtime = Runtime.load(workspace.config_file, environ=environ)
    runtime.initialize()
    runtime.backup(ASSET)
    values[17, 3] += 1e-9
    pd.DataFrame(values, columns=list("abcdef")).to_parquet(live / "table.parquet")
    site = Site(workspace, regions, environ, tree(live))
    runtime.backup(ASSET)
    assert runtime.verify(ASSET)["ok"]
    (workspace.home / "cache").mkdir(exist_ok=True)
    (workspace.home / "cache" / "memory").write_text("of the vaults")
    return site


def configure(workspace: Workspace, regions: DemoRegions) -> None:
    write_configuration(workspace, {region: regions.endpoint(region) for region in REGIONS})
    said = yaml.safe_load(workspace.config_file.read_text())
    drill = {"takes_source": True, "scenarios": "all", "link": "100KB/s"}
    facts = {"kind": "dataset", "source": str(workspace.sources / ASSET), "regions": list(REGIONS), "drill": drill}
    workspace.config_file.write_text(yaml.safe_dump(said | {"assets": {ASSET: facts}}))


@pytest.mark.parametrize("scenario", OWN)
def test_it_really_comes_is_survived_and_is_undone(site: Site, scenario: str):
    done = site.runtime().drill(ASSET, scenario)
    assert (done["verdict"], done["reasons"]) == ("proven", [])
    assert done["applied"]["really"] is True
    assert done["applied"]["undone"] is not False
    assert len(done["kits"]) >= 2
    assert all(done["kits"].values())
    EXPECTED[scenario](done)
    if done["expected"] == "recovery":
        assert [one["caught"] for one in done["control"]["controls"]] == [True, True, True]
        assert "table.parquet as " in done["control"]["controls"][2]["detail"]
    site.is_as_before()


def from_a_survivor(done: dict[str, Any]) -> None:
    assert done["lost_region"] == LOST
    assert done["restored_from"] == REGIONS[1]
    assert done["applied"]["undone"] is True
    assert done["rpo_by_region"][LOST] is None
    assert done["rpo_by_region"][REGIONS[1]] == done["rpo_s"]
    assert set(done["evidence"]) == set(REGIONS[1:])


def revoked(done: dict[str, Any]) -> None:
    from_a_survivor(done)
    assert "refused the credentials" in done["lost_how"]


def slow(done: dict[str, Any]) -> None:
    from_a_survivor(done)
    assert "0.1 MB/s" in done["applied"]["how"]
    assert done["phases"]["fetch"] > 1.5, "190 kB at 100 kB/s"
    assert done["phases"]["decode"] < done["phases"]["fetch"], "waiting for the link is no decoding"


def detected(done: dict[str, Any]) -> None:
    assert done["restored_from"] == REGIONS[1]
    assert len(done["detours"]) == 1
    assert done["detours"][0].startswith(f"{LOST} was asked first")
    assert done["phases"][f"try {LOST}"] > 0
    assert done["rpo_by_region"][LOST] > done["rpo_s"], "of the older point: the newer one's copy there is damaged"


def undone(done: dict[str, Any]) -> None:
    assert done["applied"]["undone"] is True
    assert done["restored_from"] == LOST


def pretended(done: dict[str, Any]) -> None:
    assert done["restored_from"] == LOST
    assert done["applied"]["undone"] is None


def skewed(done: dict[str, Any]) -> None:
    pretended(done)
    assert abs(abs(done["clock_skew_s"]) - 6 * 3600) < 5
    assert 0 < done["rpo_s"] < 3600, "by the region's clock the point is minutes old"


def refused(done: dict[str, Any]) -> None:
    assert done["expected"] == "refusal"
    assert done["rto_s"] is None
    assert (done["bytes"], done["restored_from"], done["smoke"]) == (0, "", None)
    assert [row["name"] for row in done["preflight"] if row["class"] == "blocking"] == ["free disk bytes"]


def bare(done: dict[str, Any]) -> None:
    assert "the recovery kit and the escrow key alone" in done["applied"]["how"]


EXPECTED = {
    "region-lost": from_a_survivor,
    "pack-damaged": detected,
    "points-deleted": from_a_survivor,
    "source-encrypted": undone,
    "credentials-revoked": revoked,
    "slow-link": slow,
    "catalog-lost": undone,
    "key-lost": pretended,
    "clock-skewed": skewed,
    "bare-machine": bare,
    "standby-too-small": refused,
}


def test_then_every_scenario_of_the_plan_is_proven_and_the_oldest_is_due_again(site: Site):
    (standing,) = site.runtime().status()["assets"]
    assert standing["problems"] == []
    rows = standing["scenarios"]
    assert [row["scenario"] for row in rows] == OWN
    assert all(row["verdict"] == "proven" and row["policy_current"] for row in rows)
    ages = [row["age_s"] for row in rows]
    assert ages == sorted(ages, reverse=True)
    assert site.runtime()._due(site.runtime().config.asset(ASSET)) == OWN[0]


def test_an_edited_policy_turns_the_plan_to_not_proven(site: Site):
    said = yaml.safe_load(site.workspace.config_file.read_text())
    said["assets"][ASSET]["objectives"] = {"rto": "1m"}
    edited = site.workspace.home / "edited.yaml"
    edited.write_text(yaml.safe_dump(said))
    found = Runtime.load(edited, environ=site.environ).status()
    assert found["ok"] is False
    (standing,) = found["assets"]
    assert all(row["policy_current"] is False for row in standing["scenarios"])
    assert len([text for text in standing["problems"] if "not proven any more" in text]) == len(OWN)


def until(true: Any) -> None:
    Retrying(stop=stop_after_delay(ALIVE_S), wait=wait_fixed(0.02), retry=retry_if_result(lambda yes: not yes))(true)


@pytest.mark.parametrize("scenario", ["region-lost", "points-deleted"])
def test_killed_in_its_middle_the_next_command_undoes_it_first(site: Site, scenario: str):
    argv = [sys.executable, "-m", "dr_lib.cli", "drill", ASSET, "--scenario", scenario, "--json"]
    environ = site.environ | {"DR_CONFIG": str(site.workspace.config_file)}
    standbys = site.workspace.home / "standby"
    with subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as drill:
        until(lambda: drill.poll() is not None or (site.journal() and any(standbys.glob("*/dr.yaml"))))
        assert drill.poll() is None, "it ended before it could be killed"
        drill.send_signal(signal.SIGKILL)
    assert [entry.scenario for entry in site.journal()] == [scenario]

    environ["DR_DEMO_HOME"] = str(site.workspace.home)
    told = subprocess.run([*argv[:4], "--undo", "--json"], env=environ, capture_output=True, check=True)
    assert [one["scenario"] for one in json.loads(told.stdout)["undone"]] == [scenario]
    site.is_as_before()


def test_a_backup_of_encrypted_data_is_quarantined_and_a_drill_takes_the_point_from_before(site: Site):
    runtime = site.runtime()
    good = runtime.status()["assets"][0]["newest_verified"]
    live = str(site.source())
    blow = EncryptedBlow(live, f"{live}.lost", f"{live}.draft")
    tools = tools_of(runtime._wiring, journal_of(runtime._wiring), Entry("x", ASSET, "source-encrypted", (blow,)))
    blow.strike(tools)
    try:
        assert (site.source() / "table.parquet").read_bytes().startswith(MARK)
        made = runtime.backup(ASSET)
        assert made["gate"]["quarantined"] is True
        runtime.verify(ASSET)
        done = runtime.drill(ASSET, "catalog-lost")
        assert (done["verdict"], done["point"]) == ("proven", good)
    finally:
        blow.undo(tools)
    assert tree(site.source()) == site.before

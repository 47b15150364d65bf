"""The main job as `make demo` does it: real regions, real Airflow, a real loss; then an interrupted run, and the end.

The tests build on each other in the order of the file: one demo is brought up for all of them.
"""

from __future__ import annotations

import base64
import filecmp
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import psutil
import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.crypto import key_text
from dr_lib.demo.keys import KEY_FILES
from dr_lib.demo.processes import AIRFLOW, REGION, members, port_is_free
from dr_lib.demo.regions import REGIONS
from dr_lib.demo.start_up import api_of, runtime_of
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import ObjectiveMissed, Refused
from dr_lib.model.region import Role
from dr_lib.storage.opening import open_store
from dr_lib.vault.events import read_event

ROOT = Path(__file__).resolve().parents[2]
LOST, SURVIVORS = "us-east", ("eu-west", "ap-south")
pytestmark = pytest.mark.timeout(900)


@dataclass
class Demo:
    """One demo, driven through `drctl` in processes of their own."""

    workspace: Workspace
    report: dict[str, Any] = field(default_factory=dict)

    def drctl(self, *words: str) -> dict[str, Any]:
        env = {**os.environ, "DR_DEMO_HOME": str(self.workspace.home)}
        command = [sys.executable, "-m", "dr_lib.cli", "demo", *words, "--json"]
        told = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    def processes(self) -> list[psutil.Process]:
        return members(self.workspace.home, AIRFLOW, REGION)

    def pid(self, name: str) -> int:
        state = self.workspace.read_state()
        pids = {one["name"]: one["pid"] for one in state["airflow"]["processes"]}
        return int((pids | {region: facts["pid"] for region, facts in state["regions"].items()})[name])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(Workspace(tmp_path_factory.mktemp("demo") / "a folder with spaces"))
    try:
        demo.drctl("up")
        demo.report = demo.drctl("run")
        yield demo
    finally:
        demo.drctl("down")


def by_asset(report):
    return {one["asset"]: one for one in report["assets"]}


def test_both_assets_are_proven(demo):
    assert {name: one["verdict"] for name, one in by_asset(demo.report).items()} == {
        "minilm": "proven",
        "tables": "proven",
    }
    assert demo.report["proven"] is True
    for one in demo.report["assets"]:
        assert one["rto_s"] == pytest.approx(sum(one["phases"].values()), abs=0.1)
        assert 0 < one["rpo_s"] <= one["rpo_objective_s"]


def test_every_copy_was_verified_and_the_lost_region_is_back(demo):
    copies = dict.fromkeys((LOST, *SURVIVORS), "verified")
    assert [one["copies"] for one in demo.report["assets"]] == [copies, copies]


def test_the_evidence_lies_in_the_surviving_vaults(demo):
    environ = demo.workspace.read_secrets()
    regions = runtime_of(demo.workspace).config.regions
    for one in demo.report["assets"]:
        assert set(one["evidence"]) == set(SURVIVORS)
        for region, key in one["evidence"].items():
            store = open_store(regions[region].store_as(Role.READER), f"region {region}", environ=environ)
            envelope = json.loads(store.get(key))
            assert envelope["signatures"]
            evidence = base64.b64decode(envelope["payload"]).decode()
            assert one["drill"] in evidence
            assert one["point"] in evidence


def test_every_copy_is_sealed_and_signed(demo):
    assert [(one["sealed"], one["signed"]) for one in demo.report["assets"]] == [(True, True), (True, True)]


def secret_keys(demo) -> dict[str, str]:
    return {name: key_text.in_file((demo.workspace.keys / name).read_text()).text for name in KEY_FILES}


def test_no_key_of_the_vaults_is_in_anything_that_airflow_wrote(demo):
    """Logs of tasks and processes, XCom and rendered fields in the database, the databases of the regions."""
    keys = secret_keys(demo)
    read: set[str] = set()
    for path in sorted(demo.workspace.home.rglob("*")):
        if demo.workspace.keys in path.parents or not path.is_file():
            continue
        found = [name for name, text in keys.items() if text.encode() in path.read_bytes()]
        assert found == [], path
        read.add(path.name)
    assert {"airflow.db", "dr.yaml", "secrets.env", "state.json", "airflow-scheduler.log"} <= read
    assert any(name.startswith("attempt=") for name in read), "no log of a task was looked at"


def test_no_key_of_the_vaults_is_in_an_argument_or_in_the_environment_of_a_process(demo):
    keys = secret_keys(demo)
    seen = {process.pid: (process.cmdline(), list(process.environ().values())) for process in demo.processes()}
    assert len(seen) >= len(REGIONS) + 4
    assert [pid for pid, facts in seen.items() if any(text in repr(facts) for text in keys.values())] == []


def test_the_web_interface_is_closed_to_strangers_and_shows_no_broken_file(demo):
    with httpx.Client(base_url=demo.report["url"], trust_env=False) as stranger:
        assert stranger.get("/api/v2/dags").status_code == 401
    with api_of(demo.workspace) as api:
        assert api.import_errors() == {}
        assert {"dr_replicate", "dr_restore", "dr_drill__minilm"} <= set(api.dag_ids())


def test_only_the_owner_can_read_the_credentials(demo):
    assert demo.workspace.secrets_file.stat().st_mode & 0o077 == 0
    secrets = [value for name, value in demo.workspace.read_secrets().items() if "SECRET" in name]
    assert secrets
    shown = (demo.workspace.config_file.read_text(), json.dumps(demo.workspace.read_state()))
    assert [secret for secret in secrets if any(secret in text for text in shown)] == []


WHY = {"reason": "a test of the whole", "ticket": "DR-1"}


def answer(demo, run: str, user: str, word: str) -> dict[str, Any]:
    """What was asked of people about that run, after `user` gave that answer."""
    url = demo.report["url"]
    said = {"username": user, "password": demo.workspace.read_secrets()["DEMO_ADMIN_PASSWORD"]}
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as person:
        token = person.post("/auth/token", json=said).json()["access_token"]
        person.headers["Authorization"] = f"Bearer {token}"

        def asked() -> list[dict[str, Any]]:
            told = person.get("/api/v2/dags/~/dagRuns/~/hitlDetails?response_received=false").json()["hitl_details"]
            return [one for one in told if one["task_instance"]["dag_run_id"] == run]

        wait = Retrying(retry=retry_if_result(lambda one: not one), wait=wait_fixed(1), stop=stop_after_delay(120))
        (question,) = wait(asked)
        Event().wait(3)  # an answer within about a second may fail the task (Airflow 3.3.2)
        path = f"/api/v2/dags/dr_restore/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
        given = person.patch(path, json={"chosen_options": [word], "params_input": {}})
        assert given.status_code == 200, given.text
    found: dict[str, Any] = question
    return found


def test_a_restore_from_the_form_gives_the_model_back_when_somebody_else_approves_it(demo, tmp_path):
    with api_of(demo.workspace) as api:
        api.unpause("dr_restore")
        form = {"asset": "minilm", "region": "eu-west", "target": str(tmp_path / "back"), **WHY}
        run = api.trigger("dr_restore", form)
        question = answer(demo, run, "colleague", "Approve")
        api.wait("dr_restore", run, 120)
    assert question["subject"] == f"Restore minilm into {tmp_path / 'back'}?"
    assert "Asked for by **admin**" in question["body"]
    assert by_asset(demo.report)["minilm"]["point"] in question["body"]
    vault = runtime_of(demo.workspace)._wiring.vault("eu-west", Role.READER)
    (word,) = [read_event(vault, name) for name in vault.events("minilm") if name.kind == "restore"]
    assert (word["requester"], word["by"], word["decision"]) == ("admin", "colleague", "approved")
    compared = filecmp.dircmp(demo.workspace.sources / "minilm", tmp_path / "back")
    assert (compared.diff_files, compared.left_only, compared.right_only, compared.funny_files) == ([], [], [], [])
    assert compared.same_files


def test_a_restore_over_something_fails_once_and_says_why(demo, tmp_path):
    (tmp_path / "in the way").touch()
    with api_of(demo.workspace) as api:
        run = api.trigger("dr_restore", {"asset": "tables", "target": str(tmp_path), **WHY})
        answer(demo, run, "colleague", "Approve")
        with pytest.raises(ObjectiveMissed, match=r"Refused \(exit code 7\)"):
            api.wait("dr_restore", run, 120)
        assert {task["task_id"]: task["try_number"] for task in api.tasks("dr_restore", run)}["restore"] == 1


def test_who_asks_for_a_restore_cannot_approve_it(demo, tmp_path):
    with api_of(demo.workspace) as api:
        run = api.trigger("dr_restore", {"asset": "tables", "target": str(tmp_path / "back"), **WHY})
        answer(demo, run, "admin", "Approve")
        with pytest.raises(ObjectiveMissed, match="admin asked for it, and cannot approve it"):
            api.wait("dr_restore", run, 120)
    assert not (tmp_path / "back").exists()


def test_in_an_emergency_nobody_is_asked(demo, tmp_path):
    with api_of(demo.workspace) as api:
        api.unpause("dr_restore_emergency")
        form = {"asset": "tables", "target": str(tmp_path / "back"), **WHY}
        api.wait("dr_restore_emergency", api.trigger("dr_restore_emergency", form), 120)
    assert list((tmp_path / "back").iterdir())


def test_a_wrong_form_is_refused_before_anything_starts(demo):
    with api_of(demo.workspace) as api, pytest.raises(Refused, match="400"):
        api.trigger("dr_restore", {"asset": "nothing", "target": "/tmp/x", **WHY})


def test_up_leaves_alone_what_is_up(demo):
    before = demo.drctl("status")
    assert demo.drctl("up")["started"] == []
    after = demo.drctl("status")
    assert (after["regions"], after["airflow"]["processes"]) == (before["regions"], before["airflow"]["processes"])


def test_an_interrupted_run_is_mended_by_the_next_which_proves_again(demo):
    os.kill(demo.pid(LOST), signal.SIGKILL)
    os.kill(demo.pid("scheduler"), signal.SIGKILL)
    demo.workspace.sources.rename(demo.workspace.sources_aside)
    again = demo.drctl("run")
    assert again["proven"] is True
    first = {one["point"] for one in demo.report["assets"]}
    assert first.isdisjoint(one["point"] for one in again["assets"])
    assert demo.workspace.sources.is_dir()
    assert demo.drctl("status")["up"] is True


def test_down_leaves_no_process_and_no_port(demo):
    state = demo.workspace.read_state()
    ports = [state["airflow"]["port"], *(port for one in state["regions"].values() for port in one["ports"].values())]
    assert not any(port_is_free(port) for port in ports)
    demo.drctl("down")
    assert demo.processes() == []
    assert all(port_is_free(port) for port in ports)
    assert demo.drctl("status")["up"] is False

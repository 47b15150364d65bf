"""The same DAGs on Celery with a standby site behind the Edge executor: from a backup to a restore that was approved.

PostgreSQL, Redis, Airflow's four processes, two Celery workers, an Edge worker, three S3 servers: all real. The tests
build on each other in the order of the file.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import unquote

import httpx
import numpy as np
import psutil
import pytest
import yaml
from safetensors.numpy import save_file
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.demo import assets
from dr_lib.demo.airflow_api import AirflowApi
from dr_lib.demo.configuration import write_configuration
from dr_lib.demo.keys import make_keys
from dr_lib.demo.regions import REGIONS, DemoRegions, new_credentials
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import ObjectiveMissed
from dr_lib.runtime import Runtime
from tests.stack.airflow import Stack, airflow
from tests.stack.servers import postgres, redis
from tests.webhook import Webhook, webhook

pytestmark = pytest.mark.timeout(900)
LARGE_MB = int(os.environ.get("DR_LARGE_MB", "96"))
"""4096 shows what the issue asks for; the usual run has as many shards, of fewer bytes."""
CHROMIUM = shutil.which("chromium")
SHARDS = 8
LATE_S = 15
"""The RPO of the large asset: its backup takes longer, so that its deadline passes while it runs."""
WORKERS = ("worker-1", "worker-2")
RUN_S = 240 + LARGE_MB // 8


@dataclass(frozen=True)
class Site:
    """Everything that runs, and its configuration."""

    stack: Stack
    workspace: Workspace
    regions: DemoRegions
    environ: dict[str, str]
    hook: Webhook

    def runtime(self) -> Runtime:
        return Runtime.load(self.workspace.config_file, environ=os.environ | self.environ)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("scale out")
    workspace = Workspace(home / "site")
    workspace.write_secrets(new_credentials())
    make_keys(workspace)
    with ExitStack() as ending:
        database = ending.enter_context(postgres(home / "postgres", "airflow", "catalog"))
        broker = ending.enter_context(redis(home / "redis"))
        regions = DemoRegions(workspace)
        ending.callback(regions.end_unrecorded)
        ending.callback(_lose_all, regions)
        regions.start_missing()
        configure(workspace, regions)
        hook = ending.enter_context(webhook())
        own = {
            "DR_ALERTS": hook.url,
            "DR_CATALOG_URL": f"{database}catalog",
            "DR_STANDBY_DIR": str(workspace.home / "standby"),
        }
        environ = workspace.read_secrets() | own
        Runtime.load(workspace.config_file, environ=os.environ | environ).initialize()
        running = airflow(home / "airflow", database, broker, workspace.config_file, environ)
        stack = ending.enter_context(running)
        for name in WORKERS:
            stack.start_worker(name, ("default", "reader", "janitor"), 2)
        stack.start_site("standby-1", ("standby",), 1)
        yield Site(stack, workspace, regions, environ, hook)


def _lose_all(regions: DemoRegions) -> None:
    with ThreadPoolExecutor() as threads:
        list(threads.map(regions.lose, REGIONS))


def configure(workspace: Workspace, regions: DemoRegions) -> None:
    """The demo's regions and keys; the model is drilled in the standby site, `large` has eight shards."""
    assets.stage_model(workspace.sources / "minilm")
    large = workspace.sources / "large"
    large.mkdir(parents=True)
    random = np.random.default_rng(0)
    for shard in range(SHARDS):
        values = random.standard_normal(LARGE_MB * 250_000 // SHARDS, dtype=np.float32)
        save_file({f"layer.{shard}": values}, large / f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors")
    write_configuration(workspace, {name: regions.endpoint(name) for name in REGIONS})
    found = yaml.safe_load(workspace.config_file.read_text())
    model = found["assets"]["minilm"]
    model["drill"] |= {"standby": "site"}
    own: dict[str, Any] = {"source": large.as_uri(), "regions": ["eu-west", "ap-south"], "gates": "none"}
    own |= {"drill": {"standby": "site"}, "objectives": {"rpo": f"{LATE_S}s"}}
    found["assets"] = {"minilm": model, "large": {"kind": "model", **own}}
    found["standbys"] = {"site": {"kind": "process", "queue": "standby", "executor": "EdgeExecutor"}}
    found["catalog"] = {"url": "env:DR_CATALOG_URL", "schedule": None}
    found["alerts"] = {"to": [{"urls": "env:DR_ALERTS"}]}
    found["limits"] = {"shard": f"{LARGE_MB // SHARDS + 1}MB"}
    # Slow enough for a worker to be killed in the middle of a shard.
    found["regions"]["eu-west"]["limits"] = {"upload": f"{max(2, LARGE_MB // SHARDS // 4)}MB/s"}
    workspace.config_file.write_text(yaml.safe_dump(found, sort_keys=False))


def run(site: Site, user: str, dag: str, conf: dict[str, Any] | None = None) -> str:
    """Start a run as that user and see it succeed; its id."""
    with site.stack.person(user) as api:
        api.unpause(dag)
        started = api.trigger(dag, conf or {})
        api.wait(dag, started, RUN_S)
    return started


def until(question: Any, seconds: float = RUN_S) -> Any:
    return Retrying(retry=retry_if_result(lambda told: not told), wait=wait_fixed(1), stop=stop_after_delay(seconds))(
        question
    )


def test_no_file_and_no_plugin_is_broken(site: Site):
    wanted = {f"dr_{step}__{name}" for name in ("minilm", "large") for step in ("backup", "verify", "drill")}
    with site.stack.person("root") as api:
        api.wait_for_dags(wanted | {"dr_replicate", "dr_restore", "dr_retention", "dr_freshness"}, 120)
        assert api.import_errors() == {}
    command = [sys.executable, "-m", "airflow", "dags", "list-import-errors"]
    told = subprocess.run(
        command, env=site.stack.environ | site.stack.control, capture_output=True, text=True, check=True
    )
    assert "No data found" in told.stdout


def test_a_backup_has_its_point_copied_and_verified_in_every_region(site: Site):
    with site.stack.person("ops") as api:
        for dag in ("dr_replicate", "dr_verify__minilm"):
            api.unpause(dag)
        started = run(site, "ops", "dr_backup__minilm")
        (point,) = site.runtime().points("minilm")
        follow = f"point__minilm__{point['point']}"
        api.wait("dr_replicate", follow, RUN_S)
        api.wait("dr_verify__minilm", follow, RUN_S)
    (point,) = site.runtime().points("minilm")
    assert point["copies"] == dict.fromkeys(REGIONS, "verified")
    with person(site, "look") as client:
        links = client.get(f"/api/v2/dags/dr_backup__minilm/dagRuns/{started}/taskInstances/commit/links").json()
        page = links["extra_links"]["Recovery point"]
        assert page == f"/dr/view/assets/minilm/points/{point['point']}"


def test_a_drill_loses_a_region_and_recovers_in_the_standby_site(site: Site):
    started = run(site, "ops", "dr_drill__minilm", {"region": "us-east"})
    with site.stack.person("ops") as api:
        drill = api.result("dr_drill__minilm", started, "drill")
        assert (drill["verdict"], drill["reasons"]) == ("proven", [])
        (task,) = [one for one in api.tasks("dr_drill__minilm", started) if one["task_id"] == "drill"]
        assert (task["executor"], task["queue"], task["hostname"]) == ("EdgeExecutor", "standby", "standby-1")
    assert site.regions.is_running("us-east")


def test_the_catalog_in_postgresql_says_that_the_model_is_protected(site: Site):
    with site.stack.person("ops") as api:
        api.unpause("dr_freshness")
        started = api.trigger("dr_freshness", {})
        with pytest.raises(ObjectiveMissed, match="large is"):
            api.wait("dr_freshness", started, RUN_S)
    views = {one["asset"]: one for one in site.runtime().asset_views()}
    assert views["minilm"]["protection"] == "protected", views["minilm"]["problems"]
    assert views["large"]["protection"] == "failing"


def test_people_are_told_what_is_not_protected_and_that_a_run_failed(site: Site):
    told = until(lambda: [one["message"] for one in site.hook.heard], 60)
    assert any("[critical] large is not protected" in text for text in told)
    assert not any("minilm is not protected" in text for text in told)
    with site.stack.person("ops") as api:
        api.unpause("dr_drill__large")
        with pytest.raises(ObjectiveMissed):  # it was never backed up
            api.wait("dr_drill__large", api.trigger("dr_drill__large", {}), RUN_S)
    until(lambda: [one for one in site.hook.heard if "[critical] dr_drill__large failed" in one["message"]], 60)


def shards(api: AirflowApi, started: str) -> list[dict[str, Any]]:
    return [task for task in api.tasks("dr_backup__large", started) if task["task_id"] == "store_shards"]


def workers_of(site: Site, tasks: list[dict[str, Any]]) -> dict[int, str]:
    """Which worker has each running task, by its map index."""
    pids = {
        one.pid: name
        for name in WORKERS
        for one in psutil.Process(site.stack.processes[name].pid).children(recursive=True)
    }
    return {
        task["map_index"]: pids[task["pid"]] for task in tasks if task["state"] == "running" and task["pid"] in pids
    }


def test_shards_spread_over_the_workers_and_one_that_is_killed_costs_its_own_alone(site: Site):
    with site.stack.person("ops") as api:
        api.unpause("dr_backup__large")
        started = api.trigger("dr_backup__large", {})
        spread = until(lambda: len(set((found := workers_of(site, shards(api, started))).values())) == 2 and found)
        assert set(spread.values()) == set(WORKERS)
        Event().wait(1)
        before = {task["map_index"]: task["state"] for task in shards(api, started)}
        on_it = workers_of(site, shards(api, started))
        lost = {number for number, worker in on_it.items() if worker == "worker-1"}
        site.stack.kill("worker-1")
        assert lost, before
        api.wait("dr_backup__large", started, RUN_S)
        tries = {task["map_index"]: task["try_number"] for task in shards(api, started)}
    site.stack.start_worker("worker-1", ("default", "reader", "janitor"), 2)
    assert sorted(tries) == list(range(SHARDS))
    again = {number for number, count in tries.items() if count > 1}
    assert again, "the worker was killed in the middle of a shard"
    assert again <= lost
    messages = until(
        lambda: [one for one in site.hook.heard if "dr_backup__large is not done after" in one["message"]], 60
    )
    assert f"0:00:{LATE_S}, run {started}" in messages[0]["message"]
    (point,) = site.runtime().points("large")
    assert point["logical_bytes"] > LARGE_MB * 990_000
    assert not [file for file in (site.workspace.sources / "large").iterdir() if not file.name.endswith("safetensors")]


def approve(site: Site, run_id: str, user: str = "colleague") -> None:
    """Answer yes through REST as that user, as soon as the question is there."""
    path = f"/api/v2/dags/dr_restore/dagRuns/{run_id}/taskInstances/approve/-1/hitlDetails"
    with person(site, user) as client:
        until(lambda: client.get(path).status_code == 200, 120)
        Event().wait(3)  # an answer within about a second may fail the task (Airflow 3.3.2)
        given = client.patch(path, json={"chosen_options": ["Approve"], "params_input": {}})
        assert given.status_code == 200, given.text


@contextmanager
def person(site: Site, user: str) -> Iterator[httpx.Client]:
    said = {"username": user, "password": site.stack.passwords[user]}
    with httpx.Client(base_url=site.stack.url, trust_env=False, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {client.post('/auth/token', json=said).json()['access_token']}"
        yield client


def test_of_two_restores_into_one_target_one_is_done_and_one_refused(site: Site, tmp_path: Path):
    target = tmp_path / "back"
    form = {"asset": "minilm", "target": str(target), "reason": "both at once"}
    with site.stack.person("ops") as api:
        api.unpause("dr_restore")
        runs = [api.trigger("dr_restore", form) for _ in range(2)]
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda one: approve(site, one), runs))
        ends = [ended(api, one) for one in runs]
    assert sorted(ends) == ["done", "refused"]
    compared = filecmp.dircmp(site.workspace.sources / "minilm", target)
    assert (compared.diff_files, compared.left_only, compared.right_only) == ([], [], [])
    assert [path.name for path in tmp_path.iterdir()] == ["back"]


def ended(api: AirflowApi, run_id: str) -> str:
    try:
        api.wait("dr_restore", run_id, RUN_S)
    except ObjectiveMissed as failed:
        return "refused" if "exit code 7" in str(failed) else str(failed)
    return "done"


def test_a_forged_event_makes_nothing_happen(site: Site):
    """Whoever may write into Airflow can claim a copy that is not there: nothing here believes it."""
    before = site.runtime().points("minilm")
    with person(site, "root") as client:
        found = client.get("/api/v2/assets", params={"name_pattern": "dr_copies__minilm", "only_active": False}).json()[
            "assets"
        ]
        assert {one["name"] for one in found} == {f"dr_copies__minilm__{region}" for region in REGIONS}
        told = client.get("/api/v2/assets/events", params={"asset_id": found[0]["id"]}).json()["asset_events"]
        assert told[0]["extra"]["point"] == before[0]["point"]
        runs = client.get("/api/v2/dags/~/dagRuns").json()["total_entries"]
        forged = {
            "asset_id": found[0]["id"],
            "extra": {"point": "20990101T000000000000Z-00000000", "region": "us-east"},
        }
        assert client.post("/api/v2/assets/events", json=forged).status_code == 200
        Event().wait(5)
        assert client.get("/api/v2/dags/~/dagRuns").json()["total_entries"] == runs
    assert site.runtime().points("minilm") == before


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not here: bash tools/system.sh chromium")
def test_a_person_restores_from_the_page_and_somebody_else_approves(site: Site, tmp_path: Path):
    """In a browser, from the log-in to the result; the pictures are kept."""
    from playwright.sync_api import expect, sync_playwright

    target, shots = tmp_path / "back", Path(os.environ.get("DR_SCREENSHOTS", tmp_path / "pictures"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = signed_in(browser, site, "ops")
        page.get_by_role("button", name="Browse").click()
        page.get_by_role("menuitem", name="Disaster Recovery").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("status")).to_contain_text("not protected")
        page.screenshot(path=shots / "page-front.png")
        frame.get_by_role("link", name="minilm").click()
        expect(frame.get_by_role("heading", name="minilm")).to_contain_text("protected")
        page.screenshot(path=shots / "page-asset.png")
        frame.get_by_role("link", name="Restore").click()
        frame.get_by_label("Target directory").fill(str(target))
        frame.get_by_label("Reason").fill("The live weights were overwritten")
        frame.get_by_label("Ticket").fill("DR-7")
        frame.get_by_role("button", name="Ask for the restore").click()
        expect(frame.get_by_role("status")).to_contain_text("Started dr_restore, run ", timeout=30_000)
        page.screenshot(path=shots / "page-restore.png")
        colleague = signed_in(browser, site, "colleague")
        asked = colleague.get_by_role("link", name=f"Restore minilm into {target}")
        until(lambda: shown(colleague, f"{site.stack.url}/required_actions", asked), 120)
        asked.click()
        button = colleague.get_by_role("button", name="Approve")
        expect(button).to_be_visible(timeout=30_000)
        expect(colleague.get_by_text("The live weights were overwritten")).to_be_visible()
        colleague.screenshot(path=shots / "approval.png")
        Event().wait(3)
        button.click()
        run_id = colleague.url.partition("/runs/")[2].partition("/")[0]
        with site.stack.person("ops") as api:
            api.wait("dr_restore", unquote(run_id), RUN_S)
        page.goto(f"{site.stack.url}/dags/dr_restore/runs/{run_id}")
        expect(page.get_by_text("Success").first).to_be_visible(timeout=30_000)
        page.screenshot(path=shots / "restored.png")
        browser.close()
    assert not filecmp.dircmp(site.workspace.sources / "minilm", target).diff_files
    assert len(list(shots.glob("*.png"))) >= 5


def signed_in(browser: Any, site: Site, user: str) -> Any:
    page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    page.goto(site.stack.url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(site.stack.passwords[user])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/auth/login" not in address, timeout=30_000)
    return page


def shown(page: Any, url: str, wanted: Any) -> bool:
    page.goto(url)
    try:
        wanted.wait_for(timeout=4_000)
    except Exception:  # noqa: BLE001 - not there yet
        return False
    return True

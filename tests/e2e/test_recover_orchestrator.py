"""Airflow loses its database in the middle of a backup, and comes back on another one from a vault and a key.

PostgreSQL, Airflow's processes, sealed and signed vaults, `drctl` as a person types it: all real. The tests build on
each other in the order of the file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
import sqlalchemy
import yaml
from cryptography.fernet import Fernet
from sqlalchemy import text

from dr_lib.demo.airflow_api import AirflowApi
from dr_lib.runtime import Runtime
from dr_lib.use_cases import key_files
from tests.stack.airflow import Stack, made
from tests.stack.servers import free_port, postgres

pytestmark = pytest.mark.timeout(600)
SLOW, SMALL = "slow", "small"
QUIET_S = 15


@dataclass
class Site:
    """What there was, and what is known of it from outside."""

    home: Path
    stack: Stack
    database: str
    environ: dict[str, str]
    recovered: Path
    port: int
    before: dict[str, Any] = field(default_factory=dict)

    def runtime(self) -> Runtime:
        return Runtime.load(self.home / "dr.yaml", environ=os.environ | self.environ)

    def drctl(self, *words: object, **environ: str) -> subprocess.CompletedProcess[str]:
        """As typed on another machine: no configuration, no key but what the words name."""
        given = {name: value for name, value in os.environ.items() if not name.startswith(("DR_", "AIRFLOW"))}
        command = [sys.executable, "-m", "dr_lib.cli", *map(str, words)]
        given |= {"DR_CACHE_DIR": str(self.home / "cache"), "DR_KIT": "none", **environ}
        return subprocess.run(command, env=given, capture_output=True, text=True, timeout=400, check=False)

    def recover(self, to: Path, *words: object) -> subprocess.CompletedProcess[str]:
        """From the second vault and the escrow key."""
        place = ("--vault", (self.home / "two").as_uri(), "--key", self.home / "escrow.agekey", "--to", to)
        database = ("--database", "env:FRESH", "--packages", "here", "--port", self.port)
        return self.drctl("--json", "recover", *place, *database, *words, FRESH=f"{self.database}fresh")

    @contextmanager
    def person(self) -> Iterator[AirflowApi]:
        passwords = json.loads((self.recovered / "airflow" / "passwords.json").read_text())
        api = AirflowApi(f"http://127.0.0.1:{self.port}", "root", passwords["root"])
        yield api
        api.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("orchestrator lost")
    keys = key_files.generate_keys(home / "keys")
    (home / "keys" / "escrow.agekey").rename(home / "escrow.agekey")
    _configure(home, yaml.safe_load(keys["yaml"]))
    with ExitStack() as ending:
        database = ending.enter_context(postgres(home / "postgres", "airflow", "fresh", "rehearsal"))
        environ = {
            "DR_AIRFLOW_DATABASE": f"{database}airflow",
            "DR_REHEARSAL": f"{database}rehearsal",
            "DR_KIT": "none",
        }
        environ |= {"DR_STANDBY_DIR": str(home / "standby"), "DR_CACHE_DIR": str(home / "cache")}
        more = {
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__EDGE__API_ENABLED": "False",
        }
        stack = made(home / "airflow", database, "redis://127.0.0.1:9/", home / "dr.yaml", environ | more)
        site = Site(home, stack, database, environ, home / "recovered", free_port())
        ending.callback(stack.stop)
        site.runtime().initialize()
        stack.start_control()
        ending.callback(site.drctl, "recover", "--stop", "--to", site.recovered)
        yield site


def _configure(home: Path, keys: dict[str, Any]) -> None:
    """One asset takes long, because its region takes 1 MB a second."""
    for name, size in ((SLOW, 40_000_000), (SMALL, 100_000)):
        (home / name).mkdir()
        (home / name / "weights.bin").write_bytes(os.urandom(size))
    slow = {"kind": "model", "regions": ["one", "two"], "schedule": None, "gates": "none", "verify": {"schedule": None}}
    slow |= {"drill": {"schedule": None}}
    document = {
        "version": 1,
        **keys,
        "regions": {
            "one": {"url": (home / "one").as_uri(), "limits": {"upload": "1MB/s"}},
            "two": {"url": (home / "two").as_uri()},
        },
        "assets": {name: {**slow, "source": (home / name).as_uri()} for name in (SLOW, SMALL)},
        "orchestrator": {
            "regions": ["two", "one"],
            "schedule": None,
            "saves_keys": True,
            "rehearsal": "env:DR_REHEARSAL",
            "verify": {"schedule": None},
            "drill": {"schedule": None},
        },
        "prune": {"schedule": None},
        "catalog": {"schedule": None},
    }
    (home / "dr.yaml").write_text(json.dumps(document))


def _state(api: AirflowApi, dag: str, run: str) -> str:
    return str(api._send("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")["state"])


def _until_running(api: AirflowApi, dag: str, run: str, task: str) -> None:
    api._poll(lambda: any(t["task_id"] == task and t["state"] == "running" for t in api.tasks(dag, run)) or None, 60)


def test_airflow_saves_itself_while_a_backup_is_at_work(site: Site):
    with site.stack.person("root") as api:
        wanted = {f"dr_backup__{SLOW}", f"dr_backup__{SMALL}", "dr_orchestrator_backup"}
        api.wait_for_dags(wanted, 90)
        for dag in (*wanted, "dr_replicate", f"dr_verify__{SMALL}", "dr_verify__orchestrator"):
            api.unpause(dag)
        hushed = {"connection_id": "pager", "conn_type": "http", "host": "pager.example.net", "password": "hush-42"}
        api._send("POST", "/api/v2/connections", json=hushed)
        api._send("POST", "/api/v2/variables", json={"key": "season", "value": "winter"})
        done = api.trigger(f"dr_backup__{SMALL}", {})
        api.wait(f"dr_backup__{SMALL}", done, 90)
        running = api.trigger(f"dr_backup__{SLOW}", {})
        _until_running(api, f"dr_backup__{SLOW}", running, "store_shards")
        saved = api.trigger("dr_orchestrator_backup", {})
        result = api.result_of("dr_orchestrator_backup", saved, "save", 120)
        assert "hush-42" not in json.dumps(result)
        assert _state(api, f"dr_backup__{SLOW}", running) == "running"
        site.before = {"small": done, "slow": running, "save": saved, "point": result["point"]}


def test_nobody_recovers_an_orchestrator_that_is_alive(site: Site):
    done = site.recover(site.home / "too early")
    assert done.returncode == 7, done.stderr
    assert "is alive" in json.loads(done.stdout)["error"]["what"]
    assert site.runtime().term().number == 1


def test_the_database_is_dropped_and_drctl_recover_brings_everything_back(site: Site):
    site.before["points"] = _points(site)
    assert SLOW not in {asset for asset, _ in site.before["points"]}
    engine = sqlalchemy.create_engine(f"{site.database}postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE airflow WITH (FORCE)"))
    engine.dispose()
    for name in list(site.stack.processes):
        site.stack.kill(name)
    done = site.recover(site.recovered)
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert (told["point"], told["term"], told["fewer"]) == (site.before["point"], 2, {})
    assert {f"dr_backup__{SLOW}", f"dr_backup__{SMALL}", "dr_orchestrator_backup"} <= set(told["awake"])
    assert "pager" in told["connections"]
    marked = {(one["dag"], one["run"]): one for one in told["marked"]}
    assert "store_shards" in marked[f"dr_backup__{SLOW}", site.before["slow"]]["tasks"]
    assert told["catalog"]["points"] >= 2
    assert "hush-42" not in done.stdout + done.stderr


def test_history_connections_and_variables_are_there(site: Site):
    with site.person() as api:
        assert _state(api, f"dr_backup__{SMALL}", site.before["small"]) == "success"
        lost = api._send("GET", f"/api/v2/dags/dr_backup__{SLOW}/dagRuns/{site.before['slow']}")
        assert (lost["state"], "not repeated" in lost["note"]) == ("failed", True)
        assert api._send("GET", "/api/v2/variables/season")["value"] == "winter"
        found = api._send("GET", "/api/v2/connections/pager")
        assert found["host"] == "pager.example.net"
    opened = subprocess.run(
        [site.recovered / "airflow.sh", "connections", "get", "pager", "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "hush-42" in opened.stdout, opened.stderr[-2000:]


def test_nothing_runs_and_nothing_is_pruned_before_a_person_says_go(site: Site):
    with site.person() as api:
        known = _runs(api)
        Event().wait(QUIET_S)  # nothing happens, which cannot be waited for
        assert _runs(api) == known
        assert all(dag["is_paused"] for dag in api._send("GET", "/api/v2/dags?limit=200")["dags"])
    refused = site.drctl("prune", "--apply", "--config", site.recovered / "dr.yaml")
    assert (refused.returncode, "nobody has said go" in refused.stderr) == (7, True)
    assert _points(site) == site.before["points"]


def test_the_old_airflow_does_nothing_any_more(site: Site):
    old = site.runtime()
    with pytest.raises(Exception, match="two must not run the schedules"):
        old.refuse_superseded(1)


def test_the_same_command_again_finds_everything_done(site: Site):
    again = site.recover(site.recovered)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["term"] == 2
    other = site.recover(site.home / "another place")
    assert (other.returncode, "is alive" in other.stdout) == (7, True)


def test_after_go_it_works_and_no_point_is_lost_or_there_twice(site: Site):
    mute = site.drctl("recover", "--go", "--to", site.recovered)
    assert mute.returncode == 2
    done = site.drctl("recover", "--go", "--to", site.recovered, "--reason", "the old machine is off")
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load((site.recovered / "dr.yaml").read_text())
    config["regions"]["one"].pop("limits")
    (site.recovered / "dr.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    with site.person() as api:
        assert not api._send("GET", f"/api/v2/dags/dr_backup__{SLOW}")["is_paused"]
        run = api.trigger(f"dr_backup__{SLOW}", {})
        api.wait(f"dr_backup__{SLOW}", run, 120)
        after = api.result(f"dr_backup__{SLOW}", run, "commit")["point"]
    points = _points(site)
    assert set(points) - set(site.before["points"]) == {(SLOW, after)}
    assert set(site.before["points"]) <= set(points)
    assert len(points) == len(set(points))
    restored = site.runtime().restore(SLOW, str(site.home / "slow again"), point=after)
    assert (site.home / "slow again" / "weights.bin").read_bytes() == (site.home / SLOW / "weights.bin").read_bytes()
    assert restored["point"] == after


def test_a_drill_proves_that_a_lost_database_comes_back(site: Site):
    runtime = site.runtime()
    found = runtime.verify("orchestrator")
    assert found["ok"], found
    for _ in range(2):  # it leaves the database for rehearsals as it found it
        done = runtime.drill("orchestrator")
        assert (done["scenario"], done["verdict"], done["reasons"]) == ("airflow-database-lost", "proven", [])
        checks = {check["name"]: check for check in done["smoke"]["checks"]}
        assert checks["metadata database"]["measured"] == "all of the dump reads"
        assert checks["what would start by itself"]["measured"].startswith("0 of ")
        assert "database" in done["phases"]
        assert done["evidence"]
    assert runtime.verify_evidence("orchestrator")["ok"]
    engine = sqlalchemy.create_engine(f"{site.database}rehearsal")
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(text("CREATE TABLE kept (id int)"))
    refused = runtime.drill("orchestrator")
    assert (refused["verdict"], "not empty" in refused["reasons"][0]) == ("not proven", True)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == ["kept"]
    engine.dispose()


def test_a_recovery_ends_what_it_started(site: Site):
    done = site.drctl("recover", "--stop", "--to", site.recovered)
    assert done.returncode == 0, done.stderr
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{site.port}", timeout=2, trust_env=False)


def _points(site: Site) -> list[tuple[str, str]]:
    """Committed ones."""
    found = site.runtime().points()
    return sorted((p["asset"], p["point"]) for p in found if {"complete", "verified"} & set(p["copies"].values()))


def _runs(api: AirflowApi) -> list[tuple[str, str, str]]:
    found = api._send("GET", "/api/v2/dags/~/dagRuns?limit=500")["dag_runs"]
    return sorted((one["dag_id"], one["dag_run_id"], one["state"]) for one in found)

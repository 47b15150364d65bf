"""Airflow on this machine: SQLite, one administrator, its four processes started apart, loopback only.

Airflow's log servers would listen on every interface and cannot be told otherwise, so they are not started; the
API server reads the logs from the disk that all four share.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

import dr_lib
from dr_lib.demo.processes import ProcessRecord, start
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import StoreUnavailable, UsageError
from dr_lib.orchestrator.processes import is_well

ADMIN = "admin"
COLLEAGUE = "colleague"
"""Has the same password: who asks for a restore cannot approve it."""
START_SECONDS = 180.0
_LOCK_SECONDS = 60
"""How long a process waits for SQLite's one writer; Python's own 5 seconds are too few on a busy machine."""
_COMPONENTS: dict[str, list[str]] = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AirflowSite:
    """Where the demo's Airflow lives and answers. The secrets come from the workspace."""

    workspace: Workspace
    port: int

    @property
    def url(self) -> str:
        """Address of the web interface."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The environment of every Airflow process: nothing of the caller's but a few names, settings, secrets."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return inherited | _paths() | self._settings() | self._secrets()

    def _settings(self) -> dict[str, str]:
        root = project_root()
        database = f"sqlite:///{self.workspace.airflow_home / 'airflow.db'}?timeout={_LOCK_SECONDS}"
        return {
            "AIRFLOW_HOME": str(self.workspace.airflow_home),
            "DR_CONFIG": str(self.workspace.config_file),
            "DR_STANDBY_DIR": str(self.workspace.home / "standby"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin,{COLLEAGUE}:op",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        }

    def _secrets(self) -> dict[str, str]:
        secrets = self.workspace.read_secrets()
        return {name: value for name, value in secrets.items() if not name.startswith("DEMO_")}

    @property
    def _passwords(self) -> Path:
        return self.workspace.airflow_home / "passwords.json"

    def prepare(self) -> None:
        """Write the log-in and bring the metadata database to this version; nothing runs yet. Safe to repeat."""
        self.workspace.airflow_home.mkdir(parents=True, exist_ok=True)
        self._passwords.touch(mode=0o600)
        password = self.workspace.read_secrets()["DEMO_ADMIN_PASSWORD"]
        self._passwords.write_text(json.dumps(dict.fromkeys((ADMIN, COLLEAGUE), password)))
        log = self.workspace.logs / "airflow-migrate.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            migrated = subprocess.run(
                _command("db", "migrate"), env=self.environment(), stdout=output, stderr=output, check=False
            )
        if migrated.returncode:
            raise UsageError("Airflow's database could not be prepared", where=str(log), hint="read that log")

    def start(self) -> list[ProcessRecord]:
        """Start the four processes; they outlive this one. `wait` says when they work."""
        env = self.environment()
        return [self._start(name, arguments, env) for name, arguments in _COMPONENTS.items()]

    def _start(self, name: str, arguments: list[str], env: dict[str, str]) -> ProcessRecord:
        log = self.workspace.logs / f"airflow-{name}.log"
        return start(name, _command(*arguments), env=env, home=self.workspace.home, log=log)

    def wait(self, records: list[ProcessRecord]) -> None:
        """Return when all four report that they are healthy; `StoreUnavailable` when one ends or time runs out."""
        try:
            _until(lambda: self.healthy() or not all(record.alive for record in records), START_SECONDS)
        except RetryError as error:
            raise self._not_up("Airflow did not come up in time") from error
        if dead := [record.name for record in records if not record.alive]:
            raise self._not_up(f"Airflow's {', '.join(dead)} ended")

    def healthy(self) -> bool:
        """True when every component answers and reports itself healthy."""
        return is_well(self.url)

    def _not_up(self, what: str) -> StoreUnavailable:
        return StoreUnavailable(what, where=self.url, hint=f"read the logs in {self.workspace.logs}")


def project_root() -> Path:
    """The folder that holds `dags/` and `plugins/` beside this package; `UsageError` when it holds neither."""
    root = Path(dr_lib.__file__).resolve().parent.parent
    if not (root / "dags" / "dr.py").is_file():
        raise UsageError("the demo needs a checkout of the project", where=str(root), hint="run it from a clone")
    return root


def _paths() -> dict[str, str]:
    programs = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([str(project_root()), str(project_root() / "plugins")]),
        "PYTHONUNBUFFERED": "1",
    }


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _until(condition: Callable[[], bool], seconds: float) -> None:
    Retrying(retry=retry_if_result(lambda held: not held), stop=stop_after_delay(seconds), wait=wait_fixed(0.25))(
        condition
    )

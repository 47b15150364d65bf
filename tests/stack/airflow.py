"""Airflow on PostgreSQL and Redis: its four processes, Celery workers, and a standby site behind the Edge executor.

Each process gets what it needs and no more: workers know Airflow by its API alone, and only those that read what is
sealed hold the identity.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.demo.airflow_api import AirflowApi
from tests.stack.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
USERS = {"root": "admin", "ops": "op", "colleague": "op", "look": "viewer"}
EDGE = "airflow.providers.edge3.executors.EdgeExecutor"
START_S = 240
_DEAD_AFTER_S = 20


@dataclass
class Stack:
    """A running Airflow. `environ` is what all processes share; `control` those have that may touch its database."""

    home: Path
    port: int
    environ: dict[str, str]
    control: dict[str, str]
    queue: dict[str, str]
    passwords: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *arguments: str, **more: str) -> None:
        """Start one process of Airflow under that name."""
        log = self.home / "logs of processes" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as output:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", *arguments],
                env=self.environ | more, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=self.home, start_new_session=True,
            )  # fmt: skip

    def start_control(self) -> None:
        """The four processes of Airflow itself; returns when they say that they are well."""
        migrated = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=self.environ | self.control,
            capture_output=True,
            check=False,
        )
        assert migrated.returncode == 0, migrated.stderr.decode()[-3000:]
        self.start("api-server", "api-server", **self.control)
        for name in ("scheduler", "triggerer"):
            self.start(name, name, "--skip-serve-logs", **self.control, **self.queue)
        self.start("dag-processor", "dag-processor", **self.control)
        waiting = Retrying(
            retry=retry_if_result(lambda well: not well), stop=stop_after_delay(START_S), wait=wait_fixed(0.5)
        )
        waiting(self._is_well)

    def start_worker(self, name: str, queues: Sequence[str], slots: int, **more: str) -> None:
        """A Celery worker, which knows the API and the queue."""
        words = ("-q", ",".join(queues), "-c", str(slots), "-H", name, "--pid", str(self.home / f"{name}.pid"))
        apart = ("--skip-serve-logs", "--without-mingle", "--without-gossip")
        self.start(name, "celery", "worker", *words, *apart, **self.queue, **more)

    def start_site(self, name: str, queues: Sequence[str], slots: int, **more: str) -> None:
        """An Edge worker: another site with a home of its own, which reaches Airflow's API and nothing else of it."""
        home = self.home / name
        home.mkdir(exist_ok=True)
        words = ("-q", ",".join(queues), "-c", str(slots), "-H", name)
        self.start(name, "edge", "worker", *words, AIRFLOW_HOME=str(home), **more)

    def kill(self, name: str) -> None:
        """kill -9 for the process and all that it started."""
        process = self.processes.pop(name)
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for one in family:
            one.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End everything that was started here, by its id."""
        control = {"api-server", "scheduler", "triggerer", "dag-processor"}
        # Workers first: they say good-bye to the API, and wait for it.
        self._stop([process for name, process in self.processes.items() if name not in control])
        self._stop([process for name, process in self.processes.items() if name in control])

    def _stop(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        family = [one for process in processes for one in _family(process.pid)]
        for process in processes:
            process.terminate()
        _, alive = psutil.wait_procs(family, timeout=15)
        for one in alive:
            one.kill()
        for process in processes:
            process.wait()

    @contextmanager
    def person(self, user: str) -> Iterator[AirflowApi]:
        """The REST API as that user."""
        api = AirflowApi(self.url, user, self.passwords[user])
        try:
            yield api
        finally:
            api.close()

    def _is_well(self) -> bool:
        assert all(process.poll() is None for process in self.processes.values()), self.dead()
        try:
            told = httpx.get(f"{self.url}/api/v2/monitor/health", timeout=5, trust_env=False).json()
        except (httpx.HTTPError, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((told.get(part) or {}).get("status") == "healthy" for part in parts)

    def dead(self) -> str:
        """The last words of the processes that have ended."""
        ended = [name for name, process in self.processes.items() if process.poll() is not None]
        logs = {
            name: (self.home / "logs of processes" / f"{name}.log").read_text(errors="replace")[-2000:]
            for name in ended
        }
        return json.dumps(logs, indent=1)


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def airflow(home: Path, database: str, broker: str, config: Path, more: Mapping[str, str]) -> Iterator[Stack]:
    """Airflow without workers; `more` is for the environment of every process. Everything ends with this."""
    stack = made(home, database, broker, config, more)
    with ExitStack() as ending:
        ending.callback(stack.stop)
        stack.start_control()
        yield stack


def made(home: Path, database: str, broker: str, config: Path, more: Mapping[str, str]) -> Stack:
    """The stack before anything runs."""
    import secrets

    home.mkdir()
    passwords = {user: secrets.token_urlsafe(12) for user in USERS}
    (home / "passwords.json").write_text(json.dumps(passwords))
    port = free_port()
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    own = {"PATH": programs, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}", "DR_CONFIG": str(config)}
    environ = kept | own | _settings(home, port) | {"AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32)} | dict(more)
    control = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"{database}airflow",
        "AIRFLOW__DATABASE__EXTERNAL_DB_MANAGERS": "airflow.providers.edge3.models.db.EdgeDBManager",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
    }
    queue = {"AIRFLOW__CELERY__BROKER_URL": f"{broker}0", "AIRFLOW__CELERY__RESULT_BACKEND": f"{broker}1"}
    return Stack(home, port, environ, control, queue, passwords)


def _settings(home: Path, port: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": f"CeleryExecutor,{EDGE}",
        "AIRFLOW__CORE__PARALLELISM": "16",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__EDGE__API_ENABLED": "True",
        "AIRFLOW__EDGE__API_URL": f"{url}/edge_worker/v1/rpcapi",
        "AIRFLOW__EDGE__JOB_POLL_INTERVAL": "1",
        "AIRFLOW__EDGE__HEARTBEAT_INTERVAL": "5",
        "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(_DEAD_AFTER_S),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "PYTHONUNBUFFERED": "1",
    }

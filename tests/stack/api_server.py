"""Airflow's API server alone, on SQLite, with the page: what looks at Airflow needs no more of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.stack.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORDS = {"root": "word-1", "ops": "word-2", "look": "word-3"}
ROLES = "root:admin,ops:op,look:viewer"
START_S = 120


@contextmanager
def api_server(home: Path, config: Path, **more: str) -> Iterator[str]:
    """Its address, as long as it runs; `home` exists, and `more` is for its environment."""
    port = free_port()
    environ, url = settings(home, port, config) | more, f"http://127.0.0.1:{port}"
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=environ, check=True, capture_output=True)
    with (home / "log").open("wb") as log:
        server = subprocess.Popen([*airflow, "api-server"], env=environ, stdout=log, stderr=log, start_new_session=True)
    try:
        until = Retrying(retry=retry_if_result(lambda up: not up), wait=wait_fixed(0.5), stop=stop_after_delay(START_S))
        until(answers, url)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def settings(home: Path, port: int, config: Path) -> dict[str, str]:
    """The environment of every process of it; passwords are written to `home`."""
    (home / "passwords.json").write_text(json.dumps(PASSWORDS))
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}",
        "DR_CONFIG": str(config),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ROLES,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": "for this test alone",
        "AIRFLOW__API_AUTH__JWT_SECRET": "for this test alone, and long enough to sign with it",
    }


def answers(url: str) -> bool:
    """Whether the server is up."""
    try:
        return httpx.get(f"{url}/api/v2/monitor/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def token(url: str, user: str) -> str:
    """What that user shows the server."""
    said = {"username": user, "password": PASSWORDS[user]}
    found: str = httpx.post(f"{url}/auth/token", json=said, timeout=30).json()["access_token"]
    return found

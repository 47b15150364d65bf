"""Prometheus on a free port of this machine's loopback, with rules that do not wait."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.stack.servers import free_port

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
_AT_ONCE = {"scrape_interval": "1s", "evaluation_interval": "1s"}


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    url: str

    def asked(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer of its API."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def values(self, expr: str) -> list[dict[str, Any]]:
        """What an expression gives now: `{"metric": labels, "value": [time, text]}` each."""
        found: list[dict[str, Any]] = self.asked("query", query=expr)["result"]
        return found

    def firing(self) -> dict[str, list[dict[str, Any]]]:
        """The alerts that fire, by name."""
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.asked("alerts")["alerts"]:
            if one["state"] == "firing":
                found.setdefault(one["labels"]["alertname"], []).append(one)
        return found

    def await_that(self, so: Callable[[], bool], seconds: int = 60) -> None:
        """Returns when it is so; fails with what it knew when it never is."""
        waiting = Retrying(
            retry=retry_if_result(lambda found: not found), stop=stop_after_delay(seconds), wait=wait_fixed(0.25)
        )
        try:
            waiting(so)
        except Exception as error:
            raise AssertionError(f"it never was so; firing: {sorted(self.firing())}") from error


@contextmanager
def prometheus(home: Path, targets: Mapping[str, str], token: Path) -> Iterator[Prometheus]:
    """Runs the shipped configuration: `targets` are addresses by job, other jobs are left out; no rule waits."""
    home.mkdir()
    (home / "rules").mkdir()
    for rules in (SHIPPED / "rules").glob("*.yml"):
        (home / "rules" / rules.name).write_text(re.sub(r"(?m)^(\s*for:).*$", r"\1 0s", rules.read_text()))
    (home / "prometheus.yml").write_text(yaml.safe_dump(_configuration(targets, token)))
    port = free_port()
    words = [f"--config.file={home / 'prometheus.yml'}", f"--storage.tsdb.path={home / 'data'}"]
    command = [_program("prometheus"), *words, f"--web.listen-address=127.0.0.1:{port}"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    running = Prometheus(f"http://127.0.0.1:{port}")
    try:
        Retrying(retry=retry_if_result(lambda up: not up), stop=stop_after_delay(60), wait=wait_fixed(0.2))(
            _up, running
        )
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _configuration(targets: Mapping[str, str], token: Path) -> dict[str, Any]:
    shipped: dict[str, Any] = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
    jobs = [job for job in shipped["scrape_configs"] if job["job_name"] in targets]
    for job in jobs:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
        if "authorization" in job:
            job["authorization"] = {"credentials_file": str(token)}
    return shipped | {"global": _AT_ONCE, "scrape_configs": jobs}


def _up(running: Prometheus) -> bool:
    try:
        return httpx.get(f"{running.url}/-/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: bash tools/system.sh prometheus"
    return found

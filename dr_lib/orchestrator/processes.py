"""Airflow's processes of a recovery: started to outlive the command, asked how they are, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.errors import StoreUnavailable
from dr_lib.orchestrator.home import Home

COMPONENTS: Final[Mapping[str, Sequence[str]]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}
PARTS: Final = ("metadatabase", "scheduler", "triggerer", "dag_processor")
START_S: Final = 240
_GRACE_S: Final = 20


def start(home: Home, url: str) -> dict[str, int]:
    """Start the four processes, or those of them that do not run; process ids by name. Returns when they are well.

    `StoreUnavailable` (6) where they do not come up: their logs are below `airflow/logs`.
    """
    known: dict[str, int] = home.journal().get("processes", {})
    running = {name: pid for name, pid in known.items() if _is_ours(pid, home)}
    for name, words in COMPONENTS.items():
        if name not in running:
            running[name] = _start(home, name, words)
            home.note(processes=running)
    waiting = Retrying(
        retry=retry_if_result(lambda well: not well), stop=stop_after_delay(START_S), wait=wait_fixed(0.5)
    )
    with suppress(RetryError):
        waiting(lambda: is_well(url) or not all(_is_ours(pid, home) for pid in running.values()))
    if not is_well(url):
        ended = ", ".join(name for name, pid in running.items() if not _is_ours(pid, home)) or "nothing of it ended"
        hint = f"read the logs in {home.airflow / 'logs'}, then run the command again"
        raise StoreUnavailable(f"the recovered Airflow did not come up ({ended})", where=url, hint=hint)
    return running


def stop(home: Home) -> int:
    """End what `start` started; how many there were. Safe to repeat."""
    known: dict[str, int] = home.journal().get("processes", {})
    own = [psutil.Process(pid) for pid in known.values() if _is_ours(pid, home)]
    family = [one for process in own for one in (process, *process.children(recursive=True))]
    for process in own:
        process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=_GRACE_S)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=_GRACE_S)
    home.note(processes={})
    return len(own)


def is_well(url: str) -> bool:
    """Whether an Airflow answers there and says that all of it is well."""
    return all((health(url).get(part) or {}).get("status") == "healthy" for part in PARTS)


def health(url: str) -> dict[str, Any]:
    """What the Airflow there says of itself; empty where none answers."""
    try:
        with httpx.Client(trust_env=False, timeout=5) as client:
            told: dict[str, Any] = client.get(f"{url.rstrip('/')}/api/v2/monitor/health").json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return {}
    return told


def _start(home: Home, name: str, words: Sequence[str]) -> int:
    log = home.airflow / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environ = _environ(home)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(home.folder / "airflow.sh"), *words],
            env=environ,
            cwd=home.airflow,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return process.pid


def _environ(home: Home) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "PATH") if name in os.environ}
    return {**kept, "PWD": str(home.airflow), "SPT_NOENV": "1"} | _credentials()


def _credentials() -> dict[str, str]:
    """What this command was given to open the regions with, the recovered tasks need too."""
    return {name: value for name, value in os.environ.items() if name.startswith(("DR_", "AWS_", "RCLONE_"))}


def _is_ours(pid: int, home: Home) -> bool:
    """A process id may be somebody else's by now: ours work in the recovery's own directory."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == home.airflow.resolve()
    except (psutil.Error, OSError):
        return False

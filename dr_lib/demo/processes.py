"""Processes that outlive the command which started them, and their certain end.

A process is known by its id together with its start time, so that an id which the system has given to something
else is never signalled. Each leads a session of its own and carries a mark in its environment, which its children
inherit: what a demo started is found again even when the command that started it died before it could note it down.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

MARK = "DR_DEMO_PROCESS_OF"
"""Environment variable of every process of a demo; its value is a group and the demo's folder."""

AIRFLOW = "airflow"
REGION = "region"

_GRACE_S = 20.0
_RELEASE_S = 5.0
_CLOCK_SLACK_S = 1.0
_LAST_PORT = 1 << 16


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A started process: its name for people, its id, its start in epoch seconds."""

    name: str
    pid: int
    started: float

    @classmethod
    def of(cls, name: str, pid: int) -> ProcessRecord:
        """The record of a process that runs now; `psutil.NoSuchProcess` when it does not."""
        return cls(name, pid, psutil.Process(pid).create_time())

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ProcessRecord:
        """The inverse of `to_state`."""
        return cls(str(state["name"]), int(state["pid"]), float(state["started"]))

    def to_state(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @property
    def alive(self) -> bool:
        """True while this very process runs (a zombie does not)."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _CLOCK_SLACK_S
            return same and not _has_ended(process)
        except psutil.NoSuchProcess:
            return False


def start(name: str, command: Sequence[str | Path], *, env: Mapping[str, str], home: Path, log: Path) -> ProcessRecord:
    """Start an Airflow process of the demo in `home`, with exactly `env`; its output is appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**env, MARK: _mark(AIRFLOW, home), "SPT_NOENV": "1"},  # keeps process titles from covering the mark
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return ProcessRecord.of(name, process.pid)


@contextmanager
def marked(group: str, home: Path) -> Iterator[None]:
    """Processes that other code starts meanwhile, in any thread, are of this group of the demo in `home`."""
    os.environ[MARK] = _mark(group, home)
    try:
        yield
    finally:
        del os.environ[MARK]


def members(home: Path, *groups: str) -> list[psutil.Process]:
    """The living processes of these groups of the demo in `home`, with their descendants and all of their sessions."""
    marks = {_mark(group, home) for group in groups}
    own = {process for process in _living() if _mark_of(process) in marks}
    sessions = {_session(process) for process in own} - {None, os.getsid(0)}
    family = own | {child for process in own for child in _descendants(process)}
    return [process for process in _living() if process in family or _session(process) in sessions]


def end(processes: Sequence[psutil.Process]) -> int:
    """End these processes; returns how many there were.

    SIGTERM goes to those that lead a session, which end their own, and to those whose leader is gone; whatever is
    left gets SIGKILL.
    """
    present = {process.pid for process in processes}
    _signal([p for p in processes if _session(p) == p.pid or _session(p) not in present], signal.SIGTERM)
    left = _await_end(processes)
    _signal(left, signal.SIGKILL)
    _await_end(left)
    return len(processes)


def first_free_port(preferred: int) -> int:
    """The first loopback TCP port from `preferred` upward that a server could bind now."""
    return next(port for port in range(preferred, _LAST_PORT) if port_is_free(port))


def port_is_free(port: int) -> bool:
    """True when a server could bind the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def await_free(ports: Sequence[int]) -> list[int]:
    """Those of the loopback ports that something still holds after a few seconds; until then the kernel may not have
    given them back."""
    waiting = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_delay(_RELEASE_S),
        wait=wait_fixed(0.05),
        retry_error_callback=lambda _: taken(),
    )

    def taken() -> list[int]:
        return [port for port in ports if not port_is_free(port)]

    left: list[int] = waiting(taken)
    return left


def _living() -> Iterator[psutil.Process]:
    return filter(_lives, psutil.process_iter())


def _await_end(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that outlived the grace. A zombie has ended, whether or not its parent ever asks for it."""
    waiting = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_delay(_GRACE_S),
        wait=wait_fixed(0.05),
        retry_error_callback=lambda _: [process for process in processes if _lives(process)],
    )
    left: list[psutil.Process] = waiting(lambda: [process for process in processes if _lives(process)])
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and not _has_ended(process)
    except psutil.NoSuchProcess:
        return False


def _has_ended(process: psutil.Process) -> bool:
    """A zombie whose last thread has ended: until then its files and ports are open."""
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


def _mark(group: str, home: Path) -> str:
    return f"{group}:{home}"


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)

"""Starts the fresh process of a smoke test and puts a crash, a hang or a kill into words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dr_lib.clock import monotonic
from dr_lib.errors import DrError, SourceUnstable
from dr_lib.model.drill import SmokeResult
from dr_lib.model.smoke import Tolerance
from dr_lib.standby.child_process import Finished, bare_environ, last_words, run_child
from dr_lib.standby.smoke.next_steps import next_step
from dr_lib.standby.smoke.request import SmokeRequest, failed, result_from_json
from dr_lib.standby.smoke.untouched import held_to, state

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
    "GX_ANALYTICS_ENABLED": "false",
}
"""What keeps the libraries of models from the network, and from running what a file tells them to."""
_PROBE = "dr_lib.standby.smoke"

Start = Callable[[str, bytes, float], Finished]
"""Runs a module of this package that reads a question on stdin, within so many seconds; raises as `run_child` does."""


class NoAnswer(DrError):
    """The child ended without an answer; `what` says how."""


def start_here(module: str, question: bytes, timeout_s: float) -> Finished:
    """As a process of this machine, in an empty directory that is removed."""
    with tempfile.TemporaryDirectory(prefix="dr-smoke-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        argv = [sys.executable, "-I", "-m", module]
        return run_child(argv, environ=_environ(home), cwd=home, stdin=question, timeout_s=timeout_s)


def run(
    request: SmokeRequest,
    *,
    timeout_s: float | None = None,
    start: Start = start_here,
    ahead_s: float = 0.0,
) -> SmokeResult:
    """Smoke-test what stands in `request.directory`; changes nothing there, and may be repeated.

    `start` says where; `ahead_s` is by how much the monotonic clock there is ahead of ours.

    Never raises for anything that the restored asset does: a crash, a kill or more than `timeout_s` seconds (else those
    of the request) become a failed result with its cause. `first_output_s` counts from the start of the process to the
    first output that holds; in a failed result it is the time until the failure was known.
    """
    before = state(request.directory)
    result = _result(request, timeout_s or request.timeout_s, start, ahead_s)
    held = held_to(result, before, state(request.directory))
    return replace(held, next_step=next_step(held.cause))


def _result(request: SmokeRequest, timeout_s: float, start: Start, ahead_s: float) -> SmokeResult:
    started = monotonic()
    try:
        answer = ask(request.task(), timeout_s, start, ahead_s)
    except NoAnswer as error:
        return failed(error.what, after_s=monotonic() - started)
    if "error" in answer:
        return failed(answer["error"], after_s=monotonic() - started)
    return result_from_json(answer["result"])


def record_golden(
    directory: Path, loader: str, inputs: list[Any], expected: list[Any], tolerance: Tolerance, *, timeout_s: float
) -> dict[str, Any]:
    """Outputs of the live model for `inputs`, in a fresh process; `SourceUnstable` names why there are none.

    `expected` holds, for each input, the output it must have within the tolerance, or None.
    """
    task = {"task": "record-model", "directory": str(directory.absolute()), "loader": loader, "inputs": inputs}
    return _recorded(task | {"expected": expected, "tolerance": asdict(tolerance)}, directory, timeout_s)


def record_tables(directory: Path, *, timeout_s: float) -> dict[str, Any]:
    """Rows and columns of the live tables, in a fresh process; `SourceUnstable` names why there are none."""
    return _recorded({"task": "record-dataset", "directory": str(directory.absolute())}, directory, timeout_s)


def broken_expectations(directory: Path, suites: str, *, timeout_s: float) -> list[str]:
    """What the live tables break of the expectations file `suites`, in a fresh process; `SourceUnstable` says why
    nothing is known of it."""
    task = {"task": "hold-dataset", "directory": str(directory.absolute()), "suites": suites}
    broken: list[str] = _recorded(task, directory, timeout_s)["broken"]
    return broken


def _recorded(task: dict[str, Any], directory: Path, timeout_s: float) -> dict[str, Any]:
    hint = "mend the live asset and back it up again: until then a drill cannot prove this point"
    try:
        answer = ask(task, timeout_s)
    except NoAnswer as error:
        raise SourceUnstable(error.what, where=str(directory), hint=hint) from error
    if "error" in answer:
        raise SourceUnstable(answer["error"], where=str(directory), hint=hint)
    recorded: dict[str, Any] = answer["result"]
    return recorded


def ask(
    task: dict[str, Any], timeout_s: float, start: Start = start_here, ahead_s: float = 0.0, *, module: str = _PROBE
) -> dict[str, Any]:
    """The answer of a fresh process of `module`: `{"result": …}`, or `{"error": cause}`; `NoAnswer` without any."""
    # CLOCK_MONOTONIC is one for the whole machine, so the child may subtract our reading from its own.
    question = json.dumps({**task, "started": monotonic() + ahead_s}).encode()
    try:
        finished = start(module, question, timeout_s)
    except subprocess.TimeoutExpired as error:
        raise NoAnswer(f"the smoke test hung: no answer within {timeout_s:g} s") from error
    except OSError as error:
        raise NoAnswer(f"the smoke process could not be started: {error}") from error
    return _answer(finished)


def _environ(home: Path) -> dict[str, str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    return {**bare_environ(home), **OFFLINE, **gpus}


def _answer(finished: Finished) -> dict[str, Any]:
    if finished.returncode != 0:
        raise NoAnswer(_ending(finished))
    try:
        document = json.loads(finished.stdout)
    except ValueError as error:
        raise NoAnswer(f"the smoke process gave no readable answer: {last_words(finished.stderr)}") from error
    if not isinstance(document, dict):
        raise NoAnswer("the smoke process gave no readable answer")
    return document


def _ending(finished: Finished) -> str:
    if finished.returncode == -signal.SIGKILL:
        return "out of memory, most likely: the smoke process was killed (SIGKILL) from outside"
    if finished.returncode < 0:
        return f"the smoke process crashed ({_signal_name(-finished.returncode)}): {last_words(finished.stderr)}"
    return f"the smoke process ended with exit code {finished.returncode}: {last_words(finished.stderr)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

"""Work in a child process that kills itself with SIGKILL right before the n-th of its steps outwards."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dr_lib.storage.local import LocalStore

STEPS = (
    (LocalStore, "create"),
    (LocalStore, "get"),
    (LocalStore, "get_range"),
    (LocalStore, "delete"),
    (os, "link"),
    (os, "pwrite"),
    (os, "ftruncate"),
    (os, "fchmod"),
    (os, "write"),
    (Path, "mkdir"),
    (Path, "chmod"),
    (Path, "rename"),
    (Path, "unlink"),
)
"""Where a process reaches out of itself: an object's temporary file and its name are two steps."""
DONE, FAILED = "done", "failed"


def dies_before(step: int, work: Callable[[], Any]) -> str:
    """Do `work` in a fork that dies before its `step`-th step (from 1): `killed`, or `done` when it has fewer."""
    child = os.fork()
    if child == 0:
        _live_until(step, work)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return DONE if os.WEXITSTATUS(status) == 0 else FAILED


def _live_until(step: int, work: Callable[[], Any]) -> None:
    signal.alarm(20)  # a child that hangs is a failure and not a hanging test
    code = 1
    try:
        _count_down(step)
        work()
        code = 0
    except Exception:  # noqa: BLE001 - a child must not run on into the tests
        traceback.print_exc()
    finally:
        os._exit(code)


def _count_down(step: int) -> None:
    lock, left = threading.Lock(), [step]
    for owner, name in STEPS:
        setattr(owner, name, _counted(getattr(owner, name), lock, left))


def _counted(work: Callable[..., Any], lock: threading.Lock, left: list[int]) -> Callable[..., Any]:
    def counted(*given: Any, **named: Any) -> Any:
        with lock:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return work(*given, **named)

    return counted

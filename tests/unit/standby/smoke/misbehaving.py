"""Loaders that misbehave. Imported in the process of a smoke test alone."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any


def right(directory: Path) -> Any:
    return lambda inputs: [[float(len(text)), 1.0] for text in inputs]


def constant(directory: Path) -> Any:
    return lambda inputs: [[1.0, 1.0] for _ in inputs]


def hangs(directory: Path) -> Any:
    signal.pause()


def forks(directory: Path) -> Any:
    """Leaves a process in a session of its own, whose parent is gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            (Path(os.environ["HOME"]).parent / "forked").write_text(str(os.getpid()))
            signal.sigtimedwait([signal.SIGUSR1], 600)
        os._exit(0)
    os.wait()
    return right(directory)


def writes(directory: Path) -> Any:
    (directory / "model.safetensors").write_bytes(b"mine now")
    return right(directory)


def kills_itself(directory: Path) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def leaves_quietly(directory: Path) -> Any:
    os._exit(0)


def leaves_politely(directory: Path) -> Any:
    sys.exit(0)


def answers_for_itself(directory: Path) -> Any:
    """Says on standard output that all is well, and goes."""
    print('{"result": {"passed": true}}', flush=True)
    os._exit(0)


def talks(directory: Path) -> Any:
    for _ in range(2000):
        print("x" * 1000)
        print("y" * 1000, file=sys.stderr)
    return right(directory)

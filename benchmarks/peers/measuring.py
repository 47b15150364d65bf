"""What a command costs: seconds, processor seconds, memory, bytes read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
SHOWN = 2000


class Failed(Exception):
    """A command that had to succeed did not; the message ends with what it said."""


@dataclass(frozen=True)
class Command:
    """A program with its arguments, what it finds in its environment besides ours, and where it runs."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall, seconds of all processors, greatest resident memory in bytes, bytes asked from `read`."""

    wall: float
    cpu: float
    peak: int
    read: int


def measure(command: Command) -> Cost:
    """Run `command` to its end; `Failed` unless it exits with 0.

    What earlier commands left for the disk is written first, so that this one does not wait for it.
    """
    os.sync()
    with tempfile.TemporaryDirectory(prefix="dr-cost-") as folder:
        result = Path(folder) / "cost.json"
        code, output = _run([sys.executable, "-I", "-S", str(LAUNCHER), str(result), *command.argv], command)
        if code:
            raise Failed(f"{' '.join(command.argv[:6])} ended with {code}: {output[-SHOWN:]}")
        return Cost(**json.loads(result.read_text()))


def _run(argv: list[str], command: Command) -> tuple[int, str]:
    """Exit code and output. In a session of its own, so that nothing of it outlives a benchmark that is ended."""
    with subprocess.Popen(
        argv,
        env=_environment(command),
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output


def said(*argv: str) -> str:
    """First line that a program prints, for its version."""
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip().splitlines()[0]


def _environment(command: Command) -> dict[str, str]:
    """Ours without what would send a tool to another place than the benchmark's."""
    strange = ("AWS_", "RESTIC_", "BORG_", "RCLONE_", "S3_", "DR_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return kept | dict(command.env)

"""One child process with an environment of its own, never outliving the call that started it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INHERITED = ("PATH", "LANG")
"""What every child gets from us: enough to find programs and to read text, and no credential."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. `returncode` is negative when a signal ended it (-9: killed)."""

    returncode: int
    stdout: bytes
    stderr: bytes


def bare_environ(home: Path) -> dict[str, str]:
    """`PATH` and `LANG` of this process and `home` as HOME; nothing else."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **kept, "HOME": str(home)}


def run_child(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path,
    stdin: bytes = b"",
    timeout_s: float | None = None,
) -> Finished:
    """Run `argv` to its end; its output is held in memory, so meant for children that say little.

    Raises `subprocess.TimeoutExpired` after `timeout_s`. However this call ends, the child and everything that it
    started in its process group is gone.
    """
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        cwd=cwd,
        start_new_session=True,
    )
    try:
        stdout, stderr = child.communicate(stdin, timeout=timeout_s)
    finally:
        _end_group(child)
    return Finished(child.returncode, stdout, stderr)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def last_words(stderr: bytes, limit: int = 300) -> str:
    """The last line that a child wrote to stderr, at most `limit` characters, or `no message`."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][-limit:] if lines else "no message"

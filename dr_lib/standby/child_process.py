"""One child process with an environment of its own, never outliving the call that started it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psutil

MARK: Final = "DR_CHILD_OF"
"""Environment variable by which a child's descendants are known."""

_MOST_TOLD: Final = 64 << 20
_MOST_SAID: Final = 1 << 20
_CHUNK: Final = 1 << 16
_STRAYS_END_S: Final = 5.0
_ROUNDS: Final = 5

INHERITED = ("PATH", "LANG", "LD_LIBRARY_PATH")
"""What every child gets from us: enough to find programs and libraries and to read text, and no credential."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. `returncode` is negative when a signal ended it (-9: killed)."""

    returncode: int
    stdout: bytes
    stderr: bytes


def bare_environ(home: Path) -> dict[str, str]:
    """`INHERITED` of this process and `home` as HOME; nothing else."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **kept, "HOME": str(home)}


def run_child(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path,
    stdin: bytes = b"",
    timeout_s: float | None = None,
    leaves: bool = False,
) -> Finished:
    """Run `argv` to its end; the first 64 MiB of its output and the last MiB of its errors are kept, in memory.

    Raises `subprocess.TimeoutExpired` after `timeout_s`. However this call ends, the child is gone, and everything that
    it started, in sessions of their own too, as long as that kept the environment which it inherited. With `leaves`
    what it started in a session of its own goes on: a server, say, that it was to start.
    """
    mark = "" if leaves else secrets.token_hex(16)
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environ, **({MARK: mark} if mark else {})},
        cwd=cwd,
        start_new_session=True,
    )
    assert child.stdin is not None, "a pipe"
    assert child.stdout is not None, "a pipe"
    assert child.stderr is not None, "a pipe"
    told, said = _Kept(child.stdout, first=_MOST_TOLD), _Kept(child.stderr, last=_MOST_SAID)
    threads = [Thread(target=work, daemon=True) for work in (told.read, said.read, lambda: _feed(child, stdin))]
    for thread in threads:
        thread.start()
    try:
        # Not until its pipes are closed: what it left running may hold them for ever.
        returncode = child.wait(timeout_s)
    finally:
        _end_group(child)
        if mark:
            _end_strays(mark)
        for thread in threads:
            thread.join(_STRAYS_END_S)
    return Finished(returncode, bytes(told.data), bytes(said.data))


class _Kept:
    """The first or the last bytes that come from a pipe; the rest is read, too, so that its writer goes on."""

    def __init__(self, pipe: IO[bytes], first: int = 0, last: int = 0) -> None:
        self.data = bytearray()
        self._pipe, self._first, self._last = pipe, first, last

    def read(self) -> None:
        with self._pipe, contextlib.suppress(OSError, ValueError):
            while chunk := os.read(self._pipe.fileno(), _CHUNK):
                self.data += chunk[: self._first - len(self.data)] if self._first else chunk
                if self._last:
                    del self.data[: -self._last]


def _feed(child: subprocess.Popen[bytes], stdin: bytes) -> None:
    assert child.stdin is not None, "a pipe"
    with contextlib.suppress(OSError, ValueError), child.stdin:
        child.stdin.write(stdin)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _end_strays(mark: str) -> None:
    """End what left the group; a process that is ended while it starts another is looked for again."""
    import psutil  # a backup that starts no child does not wait for it

    for _ in range(_ROUNDS):
        strays = [process for process in psutil.process_iter() if _has(process, mark)]
        if not strays:
            return
        for process in strays:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(strays, timeout=_STRAYS_END_S)


def _has(process: psutil.Process, mark: str) -> bool:
    import psutil

    try:
        return process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def last_words(stderr: bytes, limit: int = 300) -> str:
    """The last line that a child wrote to stderr, at most `limit` characters, or `no message`."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][-limit:] if lines else "no message"

"""One bash session, block by block: variables, exports and the directory stay from one block to the next."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from dr_lib.errors import UsageError

# Names that bash owns; setting them again is an error or means nothing.
_OWNED: Final = "BASH.*|DIRSTACK|EUID|FUNCNAME|GROUPS|PIPESTATUS|PPID|SHELLOPTS|UID|_"
# $1 and $2 are what was kept and what is to be kept, $3 is the block: files without a name, for there may be secrets
# in them, and none in an argument that others see.
_PROGRAM: Final = """
set -euo pipefail
__kept=$2
trap '{ declare -p $(compgen -A variable | grep -vxE "'"$4"'|__kept"); printf "cd %q\\n" "$PWD"; } >"$__kept"' EXIT
. "$1"
. "$3"
"""


class BashSession:
    """A session that starts in `folder` with `environ`. A block that fails or ends the shell does not end it."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        """Nothing is started yet."""
        self._folder = folder
        self._environ = dict(environ)
        self._kept = b""

    def run(
        self,
        commands: str,
        *,
        stdin: int | None = None,
        output: IO[bytes] | None = None,
        timeout_s: float | None = None,
    ) -> int:
        """The exit code of a block under `set -euo pipefail`; 128 and the signal's number when one ended it.

        Both streams go to `output`, else where ours go, as they come. An interrupt is the block's, not ours.
        `UsageError` without a bash. `subprocess.TimeoutExpired` after `timeout_s`, when the block was killed.
        """
        if shutil.which("bash") is None:
            raise UsageError("there is no bash here, and runbooks are written for it", hint="install it")
        with tempfile.TemporaryFile() as before, tempfile.TemporaryFile() as after, tempfile.TemporaryFile() as block:
            _fill(before, self._kept)
            _fill(block, commands.encode())
            files = [file.fileno() for file in (before, after, block)]
            code = self._wait([f"/dev/fd/{number}" for number in files], files, stdin, output, timeout_s)
            after.seek(0)
            self._kept = after.read() or self._kept
        return code

    def _wait(
        self,
        paths: list[str],
        files: list[int],
        stdin: int | None,
        output: IO[bytes] | None,
        timeout_s: float | None,
    ) -> int:
        with (
            _interrupts_for_the_block(),
            subprocess.Popen(
                ["bash", "-c", _PROGRAM, "runbook", *paths, _OWNED],
                cwd=self._folder,
                env=self._environ,
                stdin=stdin,
                stdout=output,
                stderr=output and subprocess.STDOUT,
                pass_fds=files,
            ) as process,
        ):
            try:
                code = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return code if code >= 0 else 128 - code


@contextmanager
def _interrupts_for_the_block() -> Iterator[None]:
    """The terminal sends an interrupt to the block as well, which decides what to do. A handler is not inherited."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _fill(file: IO[bytes], data: bytes) -> None:
    file.write(data)
    file.flush()
    file.seek(0)

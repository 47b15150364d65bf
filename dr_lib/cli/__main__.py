"""`drctl`, and `python -m dr_lib.cli`, which is the same."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from typing import NoReturn

from dr_lib.cli.main import main


def run() -> NoReturn:
    """Run the command that the process was started with, and end the process with its exit code."""
    _end(main())


def _end(code: int) -> NoReturn:
    """End now: what the command promised is done, and taking the interpreter apart takes as long as a short command.

    A stream that cannot be flushed is left to the interpreter, which knows how to say so.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()  # noqa: SLF001 - no public way, and libraries have put their last words there
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()

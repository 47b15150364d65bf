"""Becomes a command that ends with the process which asked for it: `python -m dr_lib.standby.lead PARENT PROGRAM …`.

A command that went on after its drill was killed would do its harm after somebody else had undone it.
"""

from __future__ import annotations

import os
import sys

from dr_lib.standby.privileges import die_with


def main() -> None:
    """Become the command; exit code 127 when there is no such program."""
    die_with(int(sys.argv[1]))
    argv = sys.argv[2:]
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()

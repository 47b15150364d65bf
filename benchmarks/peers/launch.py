"""Runs one command and writes what it cost, as JSON, into the file that is named first.

Run as `python -I -S launch.py RESULT COMMAND…`, so that it stays small: Linux counts the memory that a process had
before it became another program into that program's peak, and a benchmark that holds a model is large.
`read` is what the command and the children it waited for asked `read` for, from files or caches (rchar of proc(5)).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    """Exit code of the command; 128 and the signal's number when one ended it."""
    result, command = sys.argv[1], sys.argv[2:]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.perf_counter() - start
    facts = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    _, status, usage = os.wait4(pid, 0)
    cost = {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * 1024,
        "read": int(facts["rchar"]),
    }
    Path(result).write_text(json.dumps(cost))
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())

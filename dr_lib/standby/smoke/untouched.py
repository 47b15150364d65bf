"""Whether a smoke test left what it tested as it was."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from dr_lib.model.drill import SmokeCheck, SmokeResult

State = dict[str, tuple[int, ...]]


def state(directory: Path) -> State:
    """Size, moment of change, mode and inode of all below `directory`, by path; empty where there is none here."""
    found: State = {}
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            path = Path(folder, name)
            facts = path.lstat()
            found[str(path.relative_to(directory))] = (facts.st_size, facts.st_mtime_ns, facts.st_mode, facts.st_ino)
    return found


def held_to(result: SmokeResult, before: State, after: State) -> SmokeResult:
    """The result, failed when something is not as it was before the test."""
    unlike = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    if not unlike:
        return result
    cause = f"the loader changed what was restored: {', '.join(unlike[:3])}"
    check = SmokeCheck("left as it was", f"{len(unlike)} changed", "0 changed", passed=False)
    return replace(result, passed=False, cause=result.cause or cause, checks=(*result.checks, check))

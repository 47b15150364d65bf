"""Whether a reader really sees what a runbook shows: the same lines in the same order, other figures in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

ANYTHING = "…"
# What differs from run to run, and what it is read as. Words, names and verdicts must be the same.
FIGURES = (
    (r"\d{8}T\d{9,}Z-[0-9a-f]{8}", "POINT"),
    (r"\b[0-9a-f]{32}\b", "ID"),
    (r"http://[\w.-]+:\d+", "URL"),
    (r"-?\d[\d.,]*(e-?\d+)?", "N"),
    (r"\bN (s|min|h|d)\b", "SPAN"),
    (r"\bN (B|kB|MB|GB)\b", "SIZE"),
    (r"\s+", " "),
)


def missing_line(shown: str, seen: str) -> str | None:
    """The first shown line that the output does not hold where it should be; None when it holds all of them.

    Lines follow each other as shown; where `…` stands, and before the first line, any lines may be left out.
    """
    lines = iter([bare(line) for line in seen.splitlines()])
    free = True
    for line in shown.splitlines():
        if line.strip() == ANYTHING:
            free = True
        elif not _advance(bare(line), lines, free=free):
            return line
        else:
            free = False
    return None


def bare(line: str) -> str:
    """The line without what differs from run to run."""
    for pattern, name in FIGURES:
        line = re.sub(pattern, name, line)
    return line.strip()


def _advance(wanted: str, lines: Iterable[str], *, free: bool) -> bool:
    for line in lines:
        if line == wanted:
            return True
        if not free:
            return False
    return False

"""Progress for a person: a bar on a terminal, plain lines elsewhere, both on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Lock

from dr_lib.cli.figures import size
from dr_lib.clock import monotonic
from dr_lib.progress import SILENT, Progress

Say = Callable[[str], None]


def watch(*, silent: bool) -> Progress:
    """What fits the place where stderr goes."""
    if silent:
        return SILENT
    if not sys.stderr.isatty():
        return Lines(say_on_stderr)
    from dr_lib.cli.bar import Bar

    return Bar()


def say_on_stderr(line: str) -> None:
    """One line for a person; stdout stays free for the answer."""
    print(line, file=sys.stderr, flush=True)


class Lines:
    """A line when a phase begins, at each quarter of its bytes, and when it ends."""

    def __init__(self, say: Say) -> None:
        """`say` prints one line."""
        self._say = say
        self._lock = Lock()
        self._label: str | None = None
        self._total = self._done = self._told = 0
        self._began = 0.0

    def start(self, total_bytes: int, label: str) -> None:
        """A phase begins, and ends the one before it."""
        self.finish()
        with self._lock:
            self._label, self._total, self._done, self._told = label, total_bytes, 0, 0
            self._began = monotonic()
            self._say(f"{label}: {size(total_bytes)}")

    def advance(self, count: int) -> None:
        """`count` more bytes are done."""
        with self._lock:
            self._done += count
            quarter = min(4 * self._done // self._total, 3) if self._total else 0
            if quarter > self._told:
                self._told = quarter
                self._say(f"{self._label}: {quarter * 25} %, {size(self._done)}")

    def finish(self) -> None:
        """Say how the phase went; nothing when none is open."""
        with self._lock:
            if self._label is None:
                return
            seconds = max(monotonic() - self._began, 0.001)
            rate = size(round(self._done / seconds))
            self._say(f"{self._label}: {size(self._done)} in {seconds:.1f} s, {rate}/s")
            self._label = None

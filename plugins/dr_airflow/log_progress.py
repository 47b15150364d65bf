"""Progress of long work as lines of the task's log."""

from __future__ import annotations

import threading
from typing import Any

_STEPS = 10


class LoggedProgress:
    """A `dr_lib.progress.Progress` that writes at most ten lines a phase; safe to use from many threads."""

    def __init__(self, log: Any) -> None:
        """`log` is the logger of the task."""
        self._log = log
        self._lock = threading.Lock()
        self._label, self._total, self._done, self._told = "", 0, 0, 0

    def start(self, total_bytes: int, label: str) -> None:
        """Say what begins."""
        with self._lock:
            self._label, self._total, self._done, self._told = label, total_bytes, 0, 0
        self._log.info("%s: %.1f MB", label, total_bytes / 1e6)

    def advance(self, count: int) -> None:
        """Count; say so when another tenth is done."""
        with self._lock:
            self._done += count
            step = min(self._done * _STEPS // self._total, _STEPS) if self._total else 0
            if step <= self._told:
                return
            self._told = step
            label, done, total = self._label, self._done, self._total
        self._log.info("%s: %.1f of %.1f MB", label, done / 1e6, total / 1e6)

    def finish(self) -> None:
        """Nothing is left to say."""

"""A clock that stands until a test moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from dr_lib.clock import Clock


class StandingClock:
    """A `Clock` for what takes one. Safe to use from many threads.

    clock = StandingClock()
    runtime = Runtime.load(path, clock=clock)
    clock.advance(timedelta(days=40))        # back, too: clocks are set
    """

    def __init__(self, start: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        """It shows `start` (aware)."""
        self._lock = threading.Lock()
        self._now = start

    def __call__(self) -> datetime:
        """The moment it shows. Each look is a microsecond later than the last, so that no two moments are the same."""
        with self._lock:
            self._now += timedelta(microseconds=1)
            return self._now

    def advance(self, by: timedelta) -> None:
        """Move it, forward or back."""
        with self._lock:
            self._now += by

    def off(self, by: timedelta) -> Clock:
        """The clock of a machine that is wrong by that much, whatever this one shows."""
        return lambda: self() + by

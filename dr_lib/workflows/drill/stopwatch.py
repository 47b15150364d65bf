"""How long each phase of a recovery took."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from dr_lib.clock import Clock, monotonic
from dr_lib.model.drill import Phase, SmokeResult


@dataclass(slots=True)
class Stopwatch:
    """Consecutive phases that add up to the time since the disaster, up to the last `lap`."""

    disaster_at: datetime
    clock: Clock
    phases: list[Phase] = field(default_factory=list)
    _last: float | None = None

    def start(self) -> None:
        """The disaster is now."""
        self.disaster_at = self.clock()

    def lap(self, name: str) -> None:
        """End the phase `name`. The first one is counted by the wall clock, from a moment that others may have seen."""
        now = monotonic()
        if self._last is None:
            seconds = max(0.0, (self.clock() - self.disaster_at).total_seconds())
        else:
            seconds = now - self._last
        self._last = now
        self.phases.append(Phase(name, seconds))

    def lap_smoke(self, smoke: SmokeResult) -> None:
        """The smoke process measured itself: its load, and the rest up to its first correct output."""
        self.phases.append(Phase("load", smoke.load_s))
        self.phases.append(Phase("first output", max(0.0, smoke.first_output_s - smoke.load_s)))

    def total(self) -> float:
        """Seconds of all phases."""
        return sum(phase.seconds for phase in self.phases)

"""How long each phase of a recovery took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dr_lib.clock import Clock, monotonic
from dr_lib.model.drill import Phase, SmokeResult
from dr_lib.telemetry import past


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
        past(f"drill.{name}", seconds)
        self.phases.append(Phase(name, seconds))

    def lap_restore(self, inside: Mapping[str, float]) -> None:
        """End a restore that measured itself: what its program took to start belongs to the standby's acquiring, its
        plan to fetching, and what it did after the last byte had come to decoding. Of one that tells nothing the whole
        is `restore`."""
        self.lap("restore")
        if not inside:
            return
        whole = self.phases.pop().seconds
        fetch = inside.get("plan", 0.0) + inside.get("fetch", 0.0)
        decode = sum(inside.get(name, 0.0) for name in ("decode", "check", "publish"))
        self._prolong("acquire", max(0.0, whole - fetch - decode))
        self.phases += [Phase("fetch", min(fetch, whole)), Phase("decode", min(decode, max(0.0, whole - fetch)))]

    def _prolong(self, name: str, seconds: float) -> None:
        """The same phase goes on, where it is the last one."""
        if self.phases and self.phases[-1].name == name:
            seconds += self.phases.pop().seconds
        self.phases.append(Phase(name, seconds))

    def lap_smoke(self, smoke: SmokeResult) -> None:
        """The smoke process measured itself: its load, its warm-up, and the rest up to its first correct output."""
        rest = max(0.0, smoke.first_output_s - smoke.load_s)
        warm_up = min(max(0.0, smoke.measures.get("warm_up_s", 0.0)), rest)
        self.phases += [Phase("load", smoke.load_s), Phase("warm-up", warm_up), Phase("first output", rest - warm_up)]

    def total(self) -> float:
        """Seconds of all phases."""
        return sum(phase.seconds for phase in self.phases)

"""When a request that has no answer yet is taken for stalled, and when for lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SAMPLES = 5
"""So many answers must be known before the median of them says anything."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and rates. See `stalls_after` and `lost_after`."""

    floor: float = 5.0
    multiple: float = 4.0
    unknown: float = 15.0
    least: float = 60.0
    slowest: float = 110_000.0

    def stalls_after(self, answered: Sequence[float]) -> float:
        """Seconds after which a second request is sent, `answered` being the seconds that the last answers took.

        A multiple of their median, at least `floor`; `unknown` while too few are known.
        """
        if len(answered) < SAMPLES:
            return self.unknown
        return max(self.floor, self.multiple * median(answered))

    def lost_after(self, length: int) -> float:
        """Seconds after which `length` bytes are not waited for any more: `least`, and what the slowest link needs."""
        return self.least + length / self.slowest

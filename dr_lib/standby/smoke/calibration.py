"""Tolerances from what the live model itself does when it is asked again, instead of a guess.

The right model never answers twice the same to the last bit: the number of threads and the size of a batch change the
order of sums. How far that goes is measured when the golden outputs are recorded, and travels with them. The margin
between that and what a damaged model does is wide: for all-MiniLM-L6-v2 asking again moves an element by 3e-7, noise
of 1 % in any weight matrix that its answers depend on by 2e-4 and more (`make sensitivity` measures both).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from dr_lib.model.smoke import Tolerance
from dr_lib.standby.smoke.metrics import Matrix, distance, lowest_cosine

MARGIN: Final = 20.0
"""How many times the measured spread is still taken for the right model."""

LEAST: Final = (1e-6, 1e-9)
"""No less is a tolerance, for another processor rounds otherwise: of the greatest golden element, and of a cosine."""

LEAST_ELSEWHERE: Final = (1e-3, 1e-5)
"""The same for another accelerator, which may multiply with fewer bits. It takes no wider margin: a bfloat16 model of
2.7 G parameters answered on a CPU 0.156 from what an H100 had recorded; asking the H100 again had moved it by 0.164."""

UNCALIBRATED: Final = Tolerance(cosine=0.999, max_abs=0.01)
"""For points that were recorded before anything was measured."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the answers of the live model strayed: the greatest difference of any element, the greatest loss of
    cosine similarity of any row, and over how many ways of asking."""

    difference: float
    gap: float
    ways: int

    def document(self) -> dict[str, Any]:
        """As it travels in `golden.json`."""
        return {"difference": self.difference, "gap": self.gap, "ways": self.ways}


def spread(rows: Matrix, others: Sequence[Matrix]) -> Spread:
    """How far `others`, answers to the same inputs, are from `rows`."""
    difference = max((distance(other, rows) for other in others), default=0.0)
    gap = max((1.0 - lowest_cosine(other, rows) for other in others), default=0.0)
    return Spread(difference, max(0.0, gap), len(others))


def resolve(tolerance: Tolerance, golden: Matrix, found: Spread | None, *, elsewhere: bool) -> Tolerance:
    """The tolerance with `cosine` and `max_abs` set: as the configuration says, else what was measured times a margin.

    `found` is None where nothing was measured. `elsewhere`: another accelerator answers than the recorded one.
    """
    if found is None:
        return _filled(tolerance, UNCALIBRATED)
    share, gap = LEAST_ELSEWHERE if elsewhere else LEAST
    max_abs = max(found.difference * MARGIN, share * float(np.max(np.abs(golden), initial=0.0)))
    return _filled(tolerance, Tolerance(cosine=1.0 - max(found.gap * MARGIN, gap), max_abs=max_abs))


def _filled(tolerance: Tolerance, measured: Tolerance) -> Tolerance:
    return replace(
        tolerance,
        cosine=measured.cosine if tolerance.cosine is None else tolerance.cosine,
        max_abs=measured.max_abs if tolerance.max_abs is None else tolerance.max_abs,
    )

"""What the next recovery will take, by what earlier ones took: a constant a phase, and a cost a byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FEWEST: Final = 3
GROWING: Final = ("fetch", "decode", "restore", "load")
"""Phases whose length grows with the bytes."""
SPREAD: Final = 1.2
"""Sizes count as different when the largest is this many times the smallest."""
CONFIDENCE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Observed:
    """A recovery that was: its bytes, and the seconds of its phases, which add up to its RTO."""

    bytes: int
    phases: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PhaseCost:
    """`constant_s`, and `per_byte_s` for each byte restored."""

    constant_s: float
    per_byte_s: float

    def seconds(self, count: int) -> float:
        """Of so many bytes."""
        return self.constant_s + self.per_byte_s * count


@dataclass(frozen=True, slots=True)
class RtoModel:
    """A fit over `drills` recoveries. `told_apart`: their sizes differed enough to tell constants from costs a byte;
    else phases that grow are taken to grow from nothing, which foretells too much for larger assets, not too little.

    `spread_s` is the standard deviation of what was left over, at the mean size `typical_bytes`.
    """

    costs: Mapping[str, PhaseCost]
    drills: int
    told_apart: bool
    spread_s: float
    typical_bytes: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds, and between which the next one lies nine times out of ten, if it is like those before it."""

    seconds: float
    low_s: float
    high_s: float
    phases: Mapping[str, float]
    notes: tuple[str, ...]


def fit(observed: Sequence[Observed]) -> RtoModel | None:
    """The model that fits best in the sense of least squares, no cost below nothing; None for fewer than three."""
    if len(observed) < FEWEST:
        return None
    sizes = [one.bytes for one in observed]
    told_apart = max(sizes) >= SPREAD * max(1, min(sizes))
    names = list(dict.fromkeys(name for one in observed for name in one.phases))
    costs = {name: _cost(name, observed, told_apart=told_apart) for name in names}
    left = [sum(one.phases.values()) - sum(cost.seconds(one.bytes) for cost in costs.values()) for one in observed]
    freedom = max(1, len(observed) - (2 if told_apart else 1))
    spread = (sum(rest * rest for rest in left) / freedom) ** 0.5
    return RtoModel(costs, len(observed), told_apart, spread, sum(sizes) / len(sizes))


def forecast(model: RtoModel, count: int, link: float | None = None) -> Forecast:
    """What recovering `count` bytes will take, over a link of `link` bytes a second (None: as it was so far)."""
    phases = {name: cost.seconds(count) for name, cost in model.costs.items()}
    notes = [f"from {model.drills} drills, of {model.typical_bytes:.3g} bytes on average"]
    if link is not None:
        name = "fetch" if "fetch" in phases else "restore"
        phases[name] = (model.costs[name].constant_s if name in model.costs else 0.0) + count / link
        notes.append("over another link the bytes are taken as they are restored: stored ones are fewer")
    if not model.told_apart:
        notes.append("all drills had nearly one size: fetch, decode and load are taken to grow with every byte;")
        notes.append("the low end is for a load that does not grow at all, such as the import of libraries")
    seconds = sum(phases.values())
    like_before = _quantile(model) * model.spread_s * (1 + 1 / model.drills) ** 0.5
    half = like_before * (max(1.0, count / model.typical_bytes) if model.typical_bytes else 1.0)
    unsplit = _unsplit(model, phases)
    low = min(seconds, seconds - unsplit - (like_before if unsplit else half))
    return Forecast(seconds, max(0.0, low), seconds + half, phases, tuple(notes))


def _unsplit(model: RtoModel, phases: Mapping[str, float]) -> float:
    """How much less it is if loading takes as long as ever: what one size alone cannot tell."""
    if model.told_apart or "load" not in phases:
        return 0.0
    return max(0.0, phases["load"] - model.costs["load"].seconds(round(model.typical_bytes)))


def _cost(name: str, observed: Sequence[Observed], *, told_apart: bool) -> PhaseCost:
    seconds = [one.phases.get(name, 0.0) for one in observed]
    if name not in GROWING:
        return PhaseCost(sum(seconds) / len(seconds), 0.0)
    sizes = [float(one.bytes) for one in observed]
    if not told_apart:
        square = sum(size * size for size in sizes)
        slope = sum(size * s for size, s in zip(sizes, seconds, strict=True)) / square if square else 0.0
        return PhaseCost(0.0, slope) if square else PhaseCost(sum(seconds) / len(seconds), 0.0)
    return _line(sizes, seconds)


def _line(sizes: Sequence[float], seconds: Sequence[float]) -> PhaseCost:
    from scipy.optimize import nnls

    unit = max(sizes)  # both columns of one magnitude: the solver compares them
    rows = [[1.0, size / unit] for size in sizes]
    (constant, slope), _ = nnls(rows, seconds)
    return PhaseCost(float(constant), float(slope) / unit)


def _quantile(model: RtoModel) -> float:
    from scipy.stats import t

    freedom = max(1, model.drills - (2 if model.told_apart else 1))
    return float(t.ppf((1 + CONFIDENCE) / 2, freedom))

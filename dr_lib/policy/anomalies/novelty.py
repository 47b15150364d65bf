"""How much of a run is new against another, told by the digests of its frames: a retry changes nothing about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dr_lib.model.gates import Novelty
from dr_lib.model.manifest import FrameRef

SEAL_BYTES: Final = 16
"""What sealing adds to a frame."""
REMEMBERED: Final = 8
"""Earlier shares that say what is usual."""
SLIGHT: Final = 0.001
"""A smaller share says nothing of how an asset changes when it does."""


def novelty(past: Iterable[FrameRef], new: Iterable[FrameRef], usual: Sequence[float] = ()) -> Novelty:
    """Compare the frames of the last good point with those of a new run. Time and memory grow with their number."""
    before, after = _distinct(past), _distinct(new)
    fresh = {digest: sizes for digest, sizes in after.items() if digest not in before}
    raw = sum(raw for _, raw in after.values())
    share = sum(raw for _, raw in fresh.values()) / raw if raw else 0.0
    return Novelty(share, _ratio(fresh), _ratio(before), tuple(usual))


def usual_after(usual: Sequence[float], share: float | None) -> tuple[float, ...]:
    """What is usual once a good run with `share` is over; None for a run that was compared with nothing."""
    told = () if share is None or share < SLIGHT else (share,)
    return (*usual, *told)[-REMEMBERED:]


def _distinct(frames: Iterable[FrameRef]) -> dict[bytes, tuple[int, int]]:
    return {f.digest: (f.length - SEAL_BYTES * bool(f.seal), f.raw) for f in frames}


def _ratio(frames: dict[bytes, tuple[int, int]]) -> float | None:
    raw = sum(raw for _, raw in frames.values())
    return sum(stored for stored, _ in frames.values()) / raw if raw else None

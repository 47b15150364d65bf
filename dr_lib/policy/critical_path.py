"""What bounded a recovery: its longest phases, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dr_lib.model.drill import Phase

SHARE: Final = 0.5
"""The critical path is named when its phases make up this share of the RTO."""
_BOUNDS: Final = {
    "detect": "how soon a lost region is noticed: its store's time-outs",
    "decide": "listing points and reading manifests in the survivors",
    "acquire": "starting the standby and its programs, and looking it over",
    "fetch": "the link to the surviving region",
    "decode": "decoding on this CPU, and writing to this disk",
    "try": "a copy that was tried first and is damaged or gone",
    "load": "importing libraries and reading the weights",
    "warm-up": "the first run of the model, which nobody waits for twice",
    "first output": "the model's own answer",
}


def critical_path(phases: Sequence[Phase]) -> tuple[str, ...]:
    """The longest phases, together at least half of the whole, each with what bounds it; nothing for no time at all."""
    seconds: dict[str, float] = {}
    for phase in phases:
        seconds[phase.name] = seconds.get(phase.name, 0.0) + phase.seconds
    total = sum(seconds.values())
    told: list[str] = []
    covered = 0.0
    for name, length in sorted(seconds.items(), key=lambda item: -item[1]):
        if not total > 0 or covered >= SHARE * total:
            break
        covered += length
        told.append(f"{name}, {length / total:.0%}: {_BOUNDS.get(_kind(name), 'not known what')}")
    return tuple(told)


def _kind(name: str) -> str:
    return "try" if name.startswith("try ") else name

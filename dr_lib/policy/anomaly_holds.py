"""Which holds end when somebody has looked at a quarantined point."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dr_lib.model.hold import ANOMALY, Hold


def over(holds: Sequence[Hold], distrusted: Collection[str], point: str) -> tuple[Hold, ...]:
    """The holds that an anomaly up to `point` caused, and that no other quarantine in force (`distrusted`) needs.

    A point that is on hold is not held again for a later anomaly: so a hold is needed as long as the point that caused
    it, or a later one, is quarantined. Holds that a person set, and those that cannot be read, are none of these.
    """
    others = [other for other in distrusted if other != point]
    ended: list[Hold] = []
    for hold in holds:
        cause = (hold.name or "").removeprefix(ANOMALY)
        is_caused = hold.name is not None and hold.name.startswith(ANOMALY) and cause <= point
        if is_caused and not any(other >= cause for other in others):
            ended.append(hold)
    return tuple(ended)

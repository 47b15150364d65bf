"""Ending a quarantine, after somebody has looked at the point, and the holds that it caused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dr_lib.clock import Clock
from dr_lib.policy.anomaly_holds import over
from dr_lib.vault.holds import clear_quarantine, holds, quarantines, release_hold
from dr_lib.vault.vault import Vault

_NEXT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended in one region: whether the point is trusted again, and the points whose holds are over."""

    region: str
    cleared: bool
    released: tuple[str, ...]


def end_quarantine(vault: Vault, asset: str, point: str, reason: str, clock: Clock, *, trust: bool = True) -> Ended:
    """Trust `point` again in this vault, and release the holds that nothing needs any more (see `over`).

    Without `trust` the point stays quarantined, and the holds end all the same. The quarantine ends first: cut off in
    between, points are held too long, never too short. Doing it again goes on where it ended.
    """
    distrusted = quarantines(vault, asset)
    found = distrusted.get(point)
    if trust and found is not None:
        clear_quarantine(vault, asset, point, reason, _after(found.at, clock))
    ended = over(holds(vault, asset), distrusted, point)
    for hold in ended:
        if hold.name is not None:
            release_hold(vault, asset, hold.point, hold.name, reason, _after(hold.at, clock))
    return Ended(vault.region, trust and found is not None, tuple(hold.point for hold in ended))


def _after(moment: datetime, clock: Clock) -> datetime:
    """Now, but never before what is being ended: the clock of another machine may be ahead of this one."""
    return max(clock(), moment + _NEXT)

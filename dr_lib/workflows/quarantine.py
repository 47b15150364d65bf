"""Ending a quarantine, after somebody has looked at the point, and the holds that it caused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dr_lib.clock import Clock
from dr_lib.model.hold import Quarantine
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


def end_quarantine(
    vaults: Sequence[Vault], asset: str, point: str, reason: str, clock: Clock, *, trust: bool, release: bool
) -> tuple[Ended, ...]:
    """Trust `point` again in every vault, and `release` the holds that nothing in any of them needs any more.

    Without `trust` the point stays quarantined, and the holds end all the same (see `over`). The quarantines end first:
    cut off in between, points are held too long, never too short. Doing it again goes on where it ended. A caller who
    has not all vaults of the asset releases nothing, for what is quarantined in the others is not known.
    """
    known = {vault.region: quarantines(vault, asset) for vault in vaults}
    cleared = [vault.region for vault in vaults if trust and _cleared(vault, known[vault.region], point, reason, clock)]
    distrusted = {other for found in known.values() for other in found}
    return tuple(
        Ended(
            vault.region,
            vault.region in cleared,
            _released(vault, asset, point, distrusted, reason, clock) if release else (),
        )
        for vault in vaults
    )


def _cleared(vault: Vault, known: Mapping[str, Quarantine], point: str, reason: str, clock: Clock) -> bool:
    found = known.get(point)
    if found is not None:
        clear_quarantine(vault, found.asset, point, reason, _after(found.at, clock))
    return found is not None


def _released(
    vault: Vault, asset: str, point: str, distrusted: Collection[str], reason: str, clock: Clock
) -> tuple[str, ...]:
    ended = over(holds(vault, asset), distrusted, point)
    for hold in ended:
        if hold.name is not None:
            release_hold(vault, asset, hold.point, hold.name, reason, _after(hold.at, clock))
    return tuple(hold.point for hold in ended)


def _after(moment: datetime, clock: Clock) -> datetime:
    """Now, but never before what is being ended: the clock of another machine may be ahead of this one."""
    return max(clock(), moment + _NEXT)

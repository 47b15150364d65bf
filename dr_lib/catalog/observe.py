"""Observation: ask every region what it holds of an asset, and keep "did not answer" apart from "has none"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from dr_lib.errors import DrError, IntegrityError, NotFound
from dr_lib.format.layout import PointName, manifest_key
from dr_lib.model.copy import Copy, CopyLock, CopyState, KnownPoint, Verification
from dr_lib.model.hold import Quarantine
from dr_lib.model.manifest import PointSummary
from dr_lib.policy.copy_state import derive
from dr_lib.storage.locking import locking
from dr_lib.vault.expiries import expired_points
from dr_lib.vault.holds import quarantines
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import verifications

READERS: Final = 8
Answer = Vault | DrError
"""A region's open vault, or why it did not open."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Points of one asset, newest first, and the regions that did not answer with the reason."""

    points: tuple[KnownPoint, ...]
    silent: dict[str, DrError]


@dataclass(frozen=True, slots=True)
class _Holding:
    """What one region holds of an asset."""

    vault: Vault
    committed: frozenset[str]
    planned: frozenset[str]
    verified: dict[str, list[Verification | None]]
    distrusted: dict[str, Quarantine]
    expired: frozenset[str] = frozenset()


def observe(asset: str, answers: Mapping[str, Answer], *, locks: bool = False) -> Observation:
    """The state of every copy of an asset's points in the regions of `answers` (the asset's, in its order).

    Costs four listings a region, about one small get a verified point and one a point; one listing more where a region
    lacks a point that another has, and a get for each that expired there. A region that fails while it is asked counts
    as silent: its copies are `unknown`. Raises nothing for a silent region. `locks` asks one thing more of each
    committed copy, where its region has locks.
    """
    with ThreadPoolExecutor(READERS) as pool:
        first = dict(zip(answers, pool.map(lambda answer: _ask(asset, answer), answers.values()), strict=True))
        everywhere = {point for found in first.values() if isinstance(found, _Holding) for point in found.committed}
        asked = dict(
            zip(first, pool.map(lambda found: _expired(asset, found, everywhere), first.values()), strict=True)
        )
        holdings = {region: found for region, found in asked.items() if isinstance(found, _Holding)}
        silent = {region: found for region, found in asked.items() if isinstance(found, DrError)}
        known = pool.map(lambda point: _known(PointName(asset, point), tuple(answers), holdings), _names(holdings))
        points = pool.map(lambda point: _with_locks(point, holdings), known) if locks else known
        return Observation(tuple(points), silent)


def _ask(asset: str, answer: Answer) -> _Holding | DrError:
    if isinstance(answer, DrError):
        return answer
    try:
        return _Holding(
            vault=answer,
            committed=frozenset(name.point for name in answer.points(asset)),
            planned=frozenset(name.point for name in answer.pending(asset)),
            verified=verifications(answer, asset),
            distrusted=quarantines(answer, asset),
        )
    except DrError as error:
        return error


def _expired(asset: str, found: _Holding | DrError, everywhere: AbstractSet[str]) -> _Holding | DrError:
    """`found`, and which of the points that it lacks a prune took away."""
    if isinstance(found, DrError) or everywhere <= found.committed:
        return found
    try:
        return replace(found, expired=expired_points(found.vault, asset))
    except DrError as error:
        return error


def _known(name: PointName, regions: Sequence[str], holdings: Mapping[str, _Holding]) -> KnownPoint:
    copies = {region: _copy(region, name.point, holdings.get(region)) for region in regions}
    summary = None
    for region, holding in holdings.items():
        if summary is None and name.point in holding.committed:
            found = _summary(holding.vault, name)
            if isinstance(found, DrError):
                copies[region] = Copy(region, _state_after(found), detail=str(found))
            else:
                summary = found
    return KnownPoint(
        asset=name.asset,
        point=name.point,
        created_at=name.created_at,
        logical_bytes=summary.logical_bytes if summary else 0,
        stored_bytes=summary.stored_bytes if summary else 0,
        files=summary.files if summary else 0,
        copies=tuple(copies[region] for region in regions),
        quarantine=next((h.distrusted[name.point] for h in holdings.values() if name.point in h.distrusted), None),
    )


def _with_locks(point: KnownPoint, holdings: Mapping[str, _Holding]) -> KnownPoint:
    return replace(point, copies=tuple(_locked(copy, point, holdings.get(copy.region)) for copy in point.copies))


def _locked(copy: Copy, point: KnownPoint, holding: _Holding | None) -> Copy:
    if holding is None or holding.vault.lock is None or point.point not in holding.committed:
        return copy
    try:
        until = locking(holding.vault.store).locked_until(manifest_key(point.asset, point.point))
    except DrError:
        return replace(copy, lock=CopyLock(None, is_known=False))
    return replace(copy, lock=CopyLock(until))


def _names(holdings: Mapping[str, _Holding]) -> list[str]:
    """Committed points, and the runs newer than all of them: under way, or dead before their commit."""
    committed = {point for holding in holdings.values() for point in holding.committed}
    newest = max(committed, default="")
    planned = {point for holding in holdings.values() for point in holding.planned if point > newest}
    return sorted(committed | planned, reverse=True)


def _copy(region: str, point: str, holding: _Holding | None) -> Copy:
    if holding is None:
        return Copy(region, CopyState.UNKNOWN)
    if point in holding.expired and point not in holding.committed:
        return Copy(region, CopyState.EXPIRED)
    return derive(
        region,
        holding.verified.get(point, ()),
        committed=point in holding.committed,
        planned=point in holding.planned,
    )


def _summary(vault: Vault, name: PointName) -> PointSummary | DrError:
    try:
        return vault.summary(name.asset, name.point)
    except DrError as error:
        return error


def _state_after(error: DrError) -> CopyState:
    """A summary that is bad, or gone after it was listed, is damage; one that could not be read says nothing."""
    return CopyState.DAMAGED if isinstance(error, IntegrityError | NotFound) else CopyState.UNKNOWN

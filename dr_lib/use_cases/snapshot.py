"""From a look at an asset to what the catalog keeps of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from dr_lib.errors import DrError
from dr_lib.format.canonical import parse_time
from dr_lib.format.layout import manifest_key
from dr_lib.model.asset import Asset
from dr_lib.model.catalog import AssetEntry, DrillEntry, RegionEntry, Snapshot
from dr_lib.model.copy import Copy, CopyState, KnownPoint
from dr_lib.policy.rpo import newest_verified
from dr_lib.storage.locking import locking
from dr_lib.use_cases.looking import Look
from dr_lib.vault.evidence import PastDrill
from dr_lib.vault.vault import Vault

_STORED: Final = (CopyState.COMPLETE, CopyState.VERIFIED, CopyState.DAMAGED)


def snapshot_of(asset: Asset, seen: Look) -> Snapshot:
    """What the catalog keeps of a look. Asks each region that locks for the lock of the newest point, and no more."""
    verified = seen.standing.newest_verified
    newest = seen.standing.newest
    entry = AssetEntry(
        asset=asset.name,
        kind=asset.kind.value,
        observed_at=seen.at,
        verified_at=None if verified is None else verified.created_at,
        protected_until=None if verified is None else verified.created_at + asset.objectives.rpo,
        rpo_objective_s=asset.objectives.rpo.total_seconds(),
        rto_objective_s=asset.objectives.rto.total_seconds(),
        points=len(seen.known.points),
        logical_bytes=0 if newest is None else newest.logical_bytes,
        stored_bytes=0 if newest is None else newest.stored_bytes,
        problems=seen.standing.problems,
    )
    regions = tuple(_region(asset, region, seen) for region in asset.regions)
    drills = tuple(_drill(past) for _, past in sorted(seen.drills.items()))
    return Snapshot(entry, regions, seen.known.points, drills)


def _region(asset: Asset, region: str, seen: Look) -> RegionEntry:
    points = seen.known.points
    newest = next(iter(points), None)
    copy = Copy(region, CopyState.MISSING) if newest is None else newest.copy_in(region)
    verified = newest_verified(points, (region,), seen.at)
    covered = seen.covered.get(region)
    error = seen.known.silent.get(region)
    return RegionEntry(
        region=region,
        state=(CopyState.UNKNOWN if error else copy.state).value,
        newest="" if newest is None else newest.point,
        verified_at=None if verified is None else verified.created_at,
        read_at=None if verified is None else verified.copy_in(region).verified_at,
        unread_s=None if covered is None else covered.oldest_s,
        locked_until=_locked_until(asset.name, newest, copy, seen.answers.get(region)),
        points=sum(point.copy_in(region).state in _STORED for point in points),
        silent="" if error is None else str(error),
    )


def _locked_until(asset: str, newest: KnownPoint | None, copy: Copy, answer: Any) -> datetime | None:
    """Of the newest point's manifest; None where it has no lock, the region none, or it could not be asked."""
    if newest is None or copy.state not in _STORED or not isinstance(answer, Vault) or answer.lock is None:
        return None
    with suppress(DrError):
        return locking(answer.store).locked_until(manifest_key(asset, newest.point))
    return None


def _drill(past: PastDrill) -> DrillEntry:
    at = parse_time(past.finished_at)
    facts = (past.drill, past.scenario, past.expected, past.verdict, at, past.rto_s, past.rpo_s)
    return DrillEntry(*facts, past.policy_sha256)

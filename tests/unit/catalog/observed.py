"""Snapshots of assets that were never observed, and catalogs in files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dr_lib.catalog.db.reading import View
from dr_lib.format.layout import point_id
from dr_lib.model.catalog import AssetEntry, DrillEntry, RegionEntry, Snapshot
from dr_lib.model.copy import Copy, CopyState, KnownPoint

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
VIEW = View(NOW, timedelta(minutes=15))


def entry(asset: str, **more: Any) -> AssetEntry:
    """One that is well, and was looked at a minute ago."""
    facts: dict[str, Any] = {
        "asset": asset, "kind": "model", "observed_at": NOW - timedelta(minutes=1),
        "verified_at": NOW - timedelta(hours=1),
        "protected_until": NOW + timedelta(hours=1), "rpo_objective_s": 7200.0, "rto_objective_s": 900.0, "points": 1,
        "logical_bytes": 10, "stored_bytes": 5, "problems": (),
    }  # fmt: skip
    return AssetEntry(**facts | more)


def region(name: str, **more: Any) -> RegionEntry:
    facts: dict[str, Any] = {
        "region": name, "state": "verified", "newest": "p", "verified_at": NOW, "read_at": NOW, "unread_s": 1.5,
        "locked_until": None, "points": 1, "silent": "",
    }  # fmt: skip
    return RegionEntry(**facts | more)


def point(asset: str, number: int, states: dict[str, CopyState] | None = None) -> KnownPoint:
    at = NOW - timedelta(hours=100 - number)
    found = states or {"east": CopyState.VERIFIED, "west": CopyState.VERIFIED}
    copies = tuple(Copy(name, state) for name, state in found.items())
    return KnownPoint(asset, point_id(at, bytes([0, 0, 0, number])), at, 100 + number, 50, 3, copies)


def drill(number: int, **more: Any) -> DrillEntry:
    at = NOW - timedelta(hours=50 - number)
    facts: dict[str, Any] = {
        "drill": point_id(at, bytes([1, 0, 0, number])), "scenario": "region-lost",
        "expected": "recovery", "verdict": "proven",
        "finished_at": at, "rto_s": 10.0 + number, "rpo_s": None, "policy_sha256": "ab" * 32,
    }  # fmt: skip
    return DrillEntry(**facts | more)


def snapshot(asset: str, points: int = 2, drills: int = 1, **more: Any) -> Snapshot:
    found = tuple(point(asset, number) for number in reversed(range(points)))
    return Snapshot(
        entry(asset, points=points, **more), (region("east"), region("west")), found, tuple(map(drill, range(drills)))
    )

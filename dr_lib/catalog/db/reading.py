"""Questions to the catalog. Each is one or two queries, paged in the database, and says how old the answer is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from dr_lib.catalog.db.tables import ASSETS, COPIES, DRILLS, POINTS, REGIONS
from dr_lib.errors import NotFound
from dr_lib.model.catalog import AssetEntry, DrillEntry, RegionEntry

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Entry = TypeVar("_Entry", bound="DataclassInstance")
MOST: Final = 500
"""Rows of one page."""
_WELL: Final = "[]"


class Protection(StrEnum):
    """How an asset stands now. `unknown`: it was looked at too long ago, and nothing is claimed."""

    PROTECTED = "protected"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class View:
    """The moment that a question is asked at, and how old an observation may be to count."""

    now: datetime
    stale_after: timedelta

    @property
    def oldest(self) -> datetime:
        """What was observed before this counts as unknown."""
        return self.now - self.stale_after


@dataclass(frozen=True, slots=True)
class Overview:
    """How many assets stand how. `failing_since` is the longest of those that fail, `observed_at` the oldest look."""

    protected: int
    failing: int
    unknown: int
    failing_since: datetime | None
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AssetView:
    """An asset, how it stands now, and its regions in its own order."""

    entry: AssetEntry
    protection: Protection
    regions: tuple[RegionEntry, ...]


@dataclass(frozen=True, slots=True)
class CopyView:
    """A copy as it was last seen; `is_silent`: its region did not answer since, and nothing is claimed."""

    region: str
    state: str
    verified_at: datetime | None
    detail: str
    is_silent: bool


@dataclass(frozen=True, slots=True)
class PointView:
    """A recovery point; `quarantined` is why, or empty."""

    point: str
    created_at: datetime
    logical_bytes: int
    stored_bytes: int
    files: int
    quarantined: str
    copies: tuple[CopyView, ...]


def overview(connection: Connection, view: View) -> Overview:
    """Of all assets, in one query."""
    stale, failing = _stale(view), _failing(view)
    fails = and_(~stale, failing)
    since = func.coalesce(ASSETS.c.failing_since, ASSETS.c.protected_until, ASSETS.c.observed_at)
    row = connection.execute(
        select(
            func.count(),
            func.sum(case((fails, 1), else_=0)),
            func.sum(case((stale, 1), else_=0)),
            func.min(case((fails, since))),
            func.min(ASSETS.c.observed_at),
        )
    ).one()
    count, failed, unknown = int(row[0]), int(row[1] or 0), int(row[2] or 0)
    return Overview(count - failed - unknown, failed, unknown, row[3], row[4])


def assets(
    connection: Connection, view: View, *, search: str = "", offset: int = 0, limit: int = MOST
) -> tuple[AssetView, ...]:
    """A page of assets: those that fail first, then the unknown, then by name. `search` is a part of a name."""
    order = case((_stale(view), 1), (_failing(view), 0), else_=2)
    asked = select(ASSETS).order_by(order, ASSETS.c.asset).offset(max(0, offset)).limit(_page(limit))
    if search:
        asked = asked.where(ASSETS.c.asset.contains(search, autoescape=True))
    return _views(connection, view, asked)


def asset(connection: Connection, view: View, name: str) -> AssetView:
    """One asset; `NotFound` (5) when it was never observed."""
    found = _views(connection, view, select(ASSETS).where(ASSETS.c.asset == name))
    if not found:
        hint = "`drctl catalog refresh` looks at what dr.yaml names"
        raise NotFound(f"the catalog knows no asset {name!r}", hint=hint)
    return found[0]


def points(connection: Connection, name: str, *, before: str = "", limit: int = 100) -> tuple[PointView, ...]:
    """A page of an asset's points, newest first, of those older than the point `before`."""
    asked = select(POINTS).where(POINTS.c.asset == name).order_by(POINTS.c.point.desc()).limit(_page(limit))
    if before:
        asked = asked.where(POINTS.c.point < before)
    return _points(connection, name, asked)


def point(connection: Connection, name: str, wanted: str) -> PointView:
    """One point; `NotFound` (5) when it is not in the catalog."""
    found = _points(connection, name, select(POINTS).where(POINTS.c.asset == name, POINTS.c.point == wanted))
    if not found:
        hint = "it may be newer than the catalog, or was let go: `drctl points` asks the regions"
        raise NotFound(f"the catalog knows no point {wanted!r} of {name!r}", hint=hint)
    return found[0]


def drills(connection: Connection, name: str, *, scenario: str = "", limit: int = 60) -> tuple[DrillEntry, ...]:
    """An asset's newest drills, the newest first; of one scenario where it is named."""
    asked = select(DRILLS).where(DRILLS.c.asset == name).order_by(DRILLS.c.drill.desc()).limit(_page(limit))
    if scenario:
        asked = asked.where(DRILLS.c.scenario == scenario)
    return tuple(_of(DrillEntry, row) for row in _rows(connection, asked))


def _stale(view: View) -> ColumnElement[bool]:
    return ASSETS.c.observed_at < view.oldest


def _failing(view: View) -> ColumnElement[bool]:
    late = or_(ASSETS.c.protected_until.is_(None), ASSETS.c.protected_until < view.now)
    return or_(ASSETS.c.problems != _WELL, late)


def _page(limit: int) -> int:
    return min(max(1, limit), MOST)


def _views(connection: Connection, view: View, asked: Select[Any]) -> tuple[AssetView, ...]:
    entries = [_asset_entry(row) for row in _rows(connection, asked)]
    regions: dict[str, list[RegionEntry]] = {entry.asset: [] for entry in entries}
    asked_regions = select(REGIONS).where(REGIONS.c.asset.in_(list(regions))).order_by(REGIONS.c.place)
    for row in _rows(connection, asked_regions) if entries else ():
        regions[row["asset"]].append(_of(RegionEntry, row))
    return tuple(AssetView(one, _protection(one, view), tuple(regions[one.asset])) for one in entries)


def _protection(entry: AssetEntry, view: View) -> Protection:
    if entry.observed_at < view.oldest:
        return Protection.UNKNOWN
    late = entry.protected_until is None or entry.protected_until < view.now
    return Protection.FAILING if late or entry.problems else Protection.PROTECTED


def _points(connection: Connection, name: str, asked: Select[Any]) -> tuple[PointView, ...]:
    rows = _rows(connection, asked)
    copies: dict[str, list[CopyView]] = {row["point"]: [] for row in rows}
    joined = COPIES.outerjoin(REGIONS, and_(REGIONS.c.asset == COPIES.c.asset, REGIONS.c.region == COPIES.c.region))
    asked_copies = (
        select(COPIES, func.coalesce(REGIONS.c.silent, "").label("silent"))
        .select_from(joined)
        .where(COPIES.c.asset == name, COPIES.c.point.in_(list(copies)))
        .order_by(REGIONS.c.place, COPIES.c.region)
    )
    for one in _rows(connection, asked_copies) if rows else ():
        copies[one["point"]].append(_of(CopyView, {**one, "is_silent": bool(one["silent"])}))
    return tuple(_of(PointView, {**row, "copies": tuple(copies[row["point"]])}) for row in rows)


def _asset_entry(row: Mapping[str, Any]) -> AssetEntry:
    return _of(AssetEntry, {**row, "problems": tuple(json.loads(row["problems"]))})


def _of(kind: type[_Entry], row: Mapping[str, Any]) -> _Entry:
    return kind(**{field.name: row[field.name] for field in fields(kind)})


def _rows(connection: Connection, asked: Select[Any]) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in connection.execute(asked).mappings()]

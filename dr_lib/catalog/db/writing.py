"""Puts what was observed of an asset in the place of what was known of it: one transaction, and only what changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, select, update

from dr_lib.catalog.db.tables import ASSETS, COPIES, DRILLS, POINTS, REGIONS
from dr_lib.model.catalog import RegionEntry, Snapshot
from dr_lib.model.copy import Copy, KnownPoint

Row = Mapping[str, Any]
UNREADABLE: Final = "why cannot be read any more"


def replace(connection: Connection, snapshot: Snapshot) -> None:
    """Make the catalog say of the asset what `snapshot` says.

    What a region that is silent was last seen to hold stays as it is, so that it is not forgotten while the region is
    away; that it is silent stands in `asset_regions`.
    """
    asset = snapshot.entry.asset
    silent = {region.region for region in snapshot.regions if region.silent}
    _sync(connection, ASSETS, asset, [_entry(snapshot, _failing_since(connection, snapshot))])
    _sync(connection, REGIONS, asset, [_region(asset, place, one) for place, one in enumerate(snapshot.regions)])
    away = select(COPIES.c.point).where(COPIES.c.asset == asset, COPIES.c.region.in_(silent))
    points = [_point(point) for point in snapshot.points]
    _sync(connection, POINTS, asset, points, keep={"point": set(connection.scalars(away))})
    copies = [_copy(point, copy) for point in snapshot.points for copy in point.copies if copy.region not in silent]
    _sync(connection, COPIES, asset, copies, keep={"region": silent})
    _sync(connection, DRILLS, asset, [{"asset": asset, **asdict(drill)} for drill in snapshot.drills])


def forget_others(connection: Connection, assets: Iterable[str]) -> list[str]:
    """Remove what is known of assets that are not named any more; returns their names."""
    gone = sorted(set(connection.scalars(select(ASSETS.c.asset))) - set(assets))
    for table in (ASSETS, REGIONS, POINTS, COPIES, DRILLS):
        if gone:
            connection.execute(delete(table).where(table.c.asset.in_(gone)))
    return gone


def _failing_since(connection: Connection, snapshot: Snapshot) -> datetime | None:
    """Since the first of the observations in a row that found a problem."""
    if not snapshot.entry.problems:
        return None
    known = connection.scalar(select(ASSETS.c.failing_since).where(ASSETS.c.asset == snapshot.entry.asset))
    return known or snapshot.entry.observed_at


def _entry(snapshot: Snapshot, failing_since: datetime | None) -> Row:
    said = asdict(snapshot.entry)
    return said | {"problems": json.dumps(snapshot.entry.problems), "failing_since": failing_since}


def _region(asset: str, place: int, region: RegionEntry) -> Row:
    return {"asset": asset, "place": place, **asdict(region)}


def _point(point: KnownPoint) -> Row:
    why = (
        "" if point.quarantine is None else "; ".join(point.quarantine.findings or ()) or "why cannot be read any more"
    )
    names = ("asset", "point", "created_at", "logical_bytes", "stored_bytes", "files")
    return {name: getattr(point, name) for name in names} | {"quarantined": why}


def _copy(point: KnownPoint, copy: Copy) -> Row:
    key = {"asset": point.asset, "point": point.point, "region": copy.region}
    return {**key, "state": copy.state.value, "verified_at": copy.verified_at, "detail": copy.detail or ""}


def _sync(
    connection: Connection, table: Table, asset: str, rows: Sequence[Row], keep: Mapping[str, set[str]] | None = None
) -> None:
    """Make `rows` all that `table` has of the asset, besides rows with one of the values of `keep` in that column."""
    keys = [column.name for column in table.primary_key]
    wanted = {tuple(row[key] for key in keys): dict(row) for row in rows}
    found = {tuple(row[key] for key in keys): dict(row) for row in _existing(connection, table, asset)}
    kept = {column: values for column, values in (keep or {}).items() if values}
    gone = [key for key, row in found.items() if key not in wanted and not any(row[c] in v for c, v in kept.items())]
    _delete(connection, table, keys, gone)
    _update(connection, table, keys, [row for key, row in wanted.items() if key in found and found[key] != row])
    if new := [row for key, row in wanted.items() if key not in found]:
        connection.execute(insert(table), new)


def _existing(connection: Connection, table: Table, asset: str) -> Iterable[Row]:
    return [dict(row) for row in connection.execute(select(table).where(table.c.asset == asset)).mappings()]


def _delete(connection: Connection, table: Table, keys: Sequence[str], gone: Sequence[tuple[Any, ...]]) -> None:
    if gone:
        where = and_(*(table.c[key] == bindparam(f"is_{key}") for key in keys))
        marks = [{f"is_{key}": value for key, value in zip(keys, one, strict=True)} for one in gone]
        connection.execute(delete(table).where(where), marks)


def _update(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        where = and_(*(table.c[key] == bindparam(f"is_{key}") for key in keys))
        marks = [{f"is_{key}": row[key] for key in keys} | _others(row, keys) for row in rows]
        connection.execute(update(table).where(where), marks)


def _others(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in keys}

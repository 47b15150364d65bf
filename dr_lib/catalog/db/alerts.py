"""The open alerts: what people were told, so that they are told once, and that it is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from dr_lib.catalog.db.tables import ALERTS
from dr_lib.model.alert import OpenAlert, Severity


def open_alerts(connection: Connection) -> tuple[OpenAlert, ...]:
    """All of them, the oldest first."""
    rows = connection.execute(select(ALERTS).order_by(ALERTS.c.since, ALERTS.c.key)).mappings()
    return tuple(OpenAlert(**{**row, "severity": Severity(row["severity"])}) for row in rows)


def put_alerts(connection: Connection, gone: Iterable[str], alerts: Iterable[OpenAlert]) -> None:
    """Put `alerts` in the place of those with their keys, and of those with the keys `gone`."""
    new = [asdict(one) | {"severity": one.severity.value} for one in alerts]
    keys = sorted({*gone, *(one["key"] for one in new)})
    if keys:
        connection.execute(delete(ALERTS).where(ALERTS.c.key.in_(keys)))
    if new:
        connection.execute(insert(ALERTS), new)

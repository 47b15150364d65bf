"""The newest drill of each scenario, of all assets at once: one query, however many there are."""

from __future__ import annotations

from dataclasses import fields

from sqlalchemy import Connection, and_, func, select

from dr_lib.catalog.db.tables import DRILLS
from dr_lib.model.catalog import DrillEntry


def newest_drills(connection: Connection) -> tuple[tuple[str, DrillEntry], ...]:
    """Each asset with the newest drill of each of its scenarios, by name of both."""
    newest = (
        select(DRILLS.c.asset, DRILLS.c.scenario, func.max(DRILLS.c.drill).label("drill"))
        .group_by(DRILLS.c.asset, DRILLS.c.scenario)
        .subquery()
    )
    same = and_(DRILLS.c.asset == newest.c.asset, DRILLS.c.drill == newest.c.drill)
    asked = select(DRILLS).select_from(DRILLS.join(newest, same)).order_by(DRILLS.c.asset, DRILLS.c.scenario)
    names = [field.name for field in fields(DrillEntry)]
    rows = connection.execute(asked).mappings().all()
    return tuple((row["asset"], DrillEntry(**{name: row[name] for name in names})) for row in rows)

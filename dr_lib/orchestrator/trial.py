"""A rehearsal of what a recovery does with Airflow's database: into an empty one, made still, compared, removed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.engine import URL

from dr_lib.clock import utc_now
from dr_lib.errors import Refused
from dr_lib.model.drill import SmokeCheck
from dr_lib.model.orchestrator import FERNET_KEY
from dr_lib.orchestrator import database, dumping, secrets, snapshot
from dr_lib.orchestrator.stilling import still

_MARK: Final = "dr_rehearsal"


def try_database(restored: Path, place: URL | None) -> tuple[SmokeCheck, ...]:
    """What a database that is made of the snapshot in `restored` is like. `place` is that of an empty one, which is
    empty again afterwards; None for a file of SQLite's, which is removed.

    `Refused` (7) where something lies in it that no rehearsal put there; raises as `dumping.load`.
    """
    if place is not None:
        _clear(place, mark=f"'{_MARK}'")
        try:
            return _tried(restored, place)
        finally:
            _clear(place, mark="NULL")
    with tempfile.TemporaryDirectory(prefix="dr-database-") as folder:
        return _tried(restored, database.address(f"sqlite:///{folder}/airflow.db"))


def _tried(restored: Path, place: URL) -> tuple[SmokeCheck, ...]:
    said, settings = snapshot.read_facts(restored), snapshot.read_settings(restored)
    wanted = snapshot.database_facts(said)
    dumping.load(snapshot.dump_of(restored), place)
    with database.connected(place) as connection:
        found = database.facts_of(connection, place.get_backend_name())
        stilled = still(connection, 0, "a rehearsal", utc_now())
        after = database.facts_of(connection, place.get_backend_name())
        opened = secrets.connections(connection, settings.get(FERNET_KEY, ""))
    fewer = [
        f"{table} {found.counts.get(table, 0)}" for table, n in wanted.counts.items() if found.counts.get(table, 0) < n
    ]
    awake = len(after.awake) + len(after.in_flight)
    rows = ", ".join(f"{count} {table}" for table, count in found.counts.items() if table in ("dag", "dag_run"))
    versions = ", ".join(found.revisions.values())
    return (
        SmokeCheck("database in a new server", rows, "no table with fewer rows", not fewer),
        SmokeCheck("its version", versions, "as it was saved", found.revisions == wanted.revisions),
        SmokeCheck("its connections", f"{len(opened)} open", "all with the key that was saved", passed=True),
        SmokeCheck(
            "what would start by itself", f"{awake} of {len(stilled.awake) + len(stilled.marked)}", "0", not awake
        ),
    )


def _clear(place: URL, *, mark: str) -> None:
    """Empty what a rehearsal left; what bears no mark of one is never touched. The mark stands only while there is
    something of a rehearsal, so that a database that is used for something else later has none."""
    with database.connected(place) as connection:
        tables = inspect(connection).get_table_names()
        found = connection.execute(text("SELECT obj_description('public'::regnamespace, 'pg_namespace')")).scalar()
        if tables and found != _MARK:
            _refuse(place)
        if tables:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text(f"COMMENT ON SCHEMA public IS {mark}"))


def _refuse(place: URL) -> None:
    label = place.render_as_string(hide_password=True)
    hint = "let `orchestrator.rehearsal` name one that is empty; drills remove what they put there"
    raise Refused("the database for rehearsals is not empty", where=label, hint=hint)

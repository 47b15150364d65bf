"""Airflow's metadata database: what it is and holds, and whether somebody still works with it.

Read with SQL, for Airflow itself must not run where this is needed. The tables are those of Airflow 3.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from dr_lib.errors import IntegrityError, StoreUnavailable, UsageError
from dr_lib.model.orchestrator import DatabaseFacts, InFlight

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
HISTORY: Final = ("dag", "dag_run", "task_instance", "connection", "variable", "asset_event", "xcom")
REVISIONS: Final = "alembic_version"
IN_FLIGHT: Final = "state IN ('queued', 'running')"
"""What is so of a run that has not ended, in SQL."""
AT_WORK: Final = (
    "scheduled", "queued", "running", "restarting", "deferred", "awaiting_input", "up_for_retry", "up_for_reschedule",
)  # fmt: skip
ALIVE_WITHIN: Final = timedelta(minutes=3)
"""A scheduler notes that it lives every few seconds."""


def address(url: str) -> URL:
    """A URL of SQLAlchemy's; `UsageError`, in which nothing of it stands, for what is none or of another database."""
    try:
        found = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError("this is no database URL", hint=FORMS) from error
    if found.get_backend_name() not in (SQLITE, POSTGRESQL):
        raise UsageError(f"a database of the kind {found.get_backend_name()!r} is not saved", hint=FORMS)
    return found


FORMS: Final = "write postgresql+psycopg2://user:password@host/database or sqlite:////path/airflow.db"


@contextlib.contextmanager
def connected(url: URL) -> Iterator[Connection]:
    """A transaction; `StoreUnavailable` (6) where the database does not answer. No password is part of an error."""
    given: dict[str, Any] = {"connect_timeout": 10} if url.get_backend_name() == POSTGRESQL else {"timeout": 30}
    label = url.render_as_string(hide_password=True)
    if url.get_backend_name() == SQLITE and not Path(str(url.database)).is_file():
        raise StoreUnavailable("the database's file is not there", where=label)  # asked, SQLite would make an empty one
    try:
        engine = create_engine(url, connect_args=given)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise UsageError("the driver of this database is not installed", where=label, hint=FORMS) from error
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines() or ["no message"]
        raise StoreUnavailable(f"the database does not answer ({said[0][:200]})", where=label) from error


def facts_of(connection: Connection, kind: str) -> DatabaseFacts:
    """What a database holds. `IntegrityError` (4) where it is not Airflow's."""
    tables = set(inspect(connection).get_table_names())
    missing = {"dag", "dag_run", "task_instance", REVISIONS} - tables
    if missing:
        raise IntegrityError(f"this is not Airflow's database: it has no table {', '.join(sorted(missing))}")
    named = sorted(table for table in tables if table.startswith(REVISIONS))
    return DatabaseFacts(
        kind=kind,
        revisions={table: _revision(connection, table) for table in named},
        counts={table: _count(connection, table) for table in HISTORY if table in tables},
        awake=tuple(_column(connection, "SELECT dag_id FROM dag WHERE NOT is_paused ORDER BY dag_id")),
        in_flight=in_flight(connection),
    )


def in_flight(connection: Connection) -> tuple[InFlight, ...]:
    """Runs that have not ended, by DAG and run."""
    tasks: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    states = ", ".join(f"'{state}'" for state in AT_WORK)
    for dag, run, task in connection.execute(
        text(f"SELECT dag_id, run_id, task_id FROM task_instance WHERE state IN ({states}) ORDER BY task_id")  # noqa: S608
    ):
        tasks[dag, run].append(task)
    rows = connection.execute(
        text(f"SELECT dag_id, run_id, state FROM dag_run WHERE {IN_FLIGHT} ORDER BY dag_id, run_id")  # noqa: S608
    )
    return tuple(InFlight(dag, run, state, tuple(sorted(set(tasks[dag, run])))) for dag, run, state in rows)


def lives(connection: Connection, now: datetime) -> datetime | None:
    """When a scheduler that has not said good-bye last noted that it lives, if that was a moment ago; None else."""
    if "job" not in inspect(connection).get_table_names():
        return None
    rows = connection.execute(
        text("SELECT latest_heartbeat FROM job WHERE job_type = 'SchedulerJob' AND state = 'running'")
    )
    beats = [_moment(row[0]) for row in rows if row[0] is not None]
    newest = max(beats, default=None)
    return newest if newest is not None and now - newest < ALIVE_WITHIN else None


def is_empty(connection: Connection) -> bool:
    """Whether there is no table in it."""
    return not inspect(connection).get_table_names()


def _moment(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _revision(connection: Connection, table: str) -> str:
    return ",".join(_column(connection, f"SELECT version_num FROM {table} ORDER BY version_num"))  # noqa: S608


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def _column(connection: Connection, query: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(text(query))]

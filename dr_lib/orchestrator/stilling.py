"""Making a restored database one from which nothing starts by itself, until a person says go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, inspect, text

from dr_lib.model.orchestrator import TERM_VARIABLE, InFlight
from dr_lib.orchestrator.database import AT_WORK, IN_FLIGHT, SQLITE, in_flight

_WAITING: Final = ("asset_dag_run_queue", "deadline")
"""What would start something at the first look of a scheduler."""


@dataclass(frozen=True, slots=True)
class Stilled:
    """What was awake before, and what was in flight and is marked as failed. `dropped` are rows that waited to start
    something, by table."""

    awake: tuple[str, ...]
    marked: tuple[InFlight, ...]
    dropped: dict[str, int]


def still(connection: Connection, term: int, note: str, now: datetime) -> Stilled:
    """Pause every DAG, end every run that is in flight, drop what waits, and note the term: all in this transaction.

    Safe to repeat: the second time there is nothing awake any more.
    """
    tables = set(inspect(connection).get_table_names())
    at = _moment(connection, now)
    awake = tuple(str(row[0]) for row in connection.execute(text(_AWAKE)))
    connection.execute(text("UPDATE dag SET is_paused = true"))
    marked = in_flight(connection)
    _end_runs(connection, note, at, notes="dag_run_note" in tables)
    dropped = {table: _empty(connection, table) for table in _WAITING if table in tables}
    if "job" in tables:
        connection.execute(text("UPDATE job SET state = 'failed', end_date = :at WHERE state = 'running'"), {"at": at})
    if "backfill" in tables:
        connection.execute(text("UPDATE backfill SET is_paused = true WHERE completed_at IS NULL"))
    _set_variable(connection, TERM_VARIABLE, str(term))
    return Stilled(awake, marked, {table: count for table, count in dropped.items() if count})


def wake(connection: Connection, dags: Iterable[str]) -> int:
    """Unpause these DAGs; how many there were. Safe to repeat."""
    wanted = sorted(dags)
    if not wanted:
        return 0
    query = text("UPDATE dag SET is_paused = false WHERE dag_id IN :dags").bindparams(bindparam("dags", expanding=True))
    return int(connection.execute(query, {"dags": wanted}).rowcount)


_AWAKE: Final = "SELECT dag_id FROM dag WHERE NOT is_paused ORDER BY dag_id"
_FLYING: Final = f"SELECT id FROM dag_run WHERE {IN_FLIGHT}"  # noqa: S608


def _end_runs(connection: Connection, note: str, at: Any, *, notes: bool) -> None:
    states = ", ".join(f"'{state}'" for state in AT_WORK)
    flying = f"(dag_id, run_id) IN (SELECT dag_id, run_id FROM dag_run WHERE {IN_FLIGHT})"  # noqa: S608
    connection.execute(
        text(
            f"UPDATE task_instance SET state = 'failed', end_date = :at, trigger_id = NULL "  # noqa: S608
            f"WHERE {flying} AND (state IS NULL OR state IN ({states}))"
        ),
        {"at": at},
    )
    runs = [row[0] for row in connection.execute(text(_FLYING))]
    for run in runs if notes else []:
        given = {"run": run, "note": note[:1000], "at": at}
        connection.execute(text("DELETE FROM dag_run_note WHERE dag_run_id = :run"), {"run": run})
        connection.execute(
            text(
                "INSERT INTO dag_run_note (dag_run_id, content, created_at, updated_at) VALUES (:run, :note, :at, :at)"
            ),
            given,
        )
    connection.execute(
        text(f"UPDATE dag_run SET state = 'failed', end_date = :at WHERE {IN_FLIGHT}"),  # noqa: S608
        {"at": at},
    )


def _empty(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"DELETE FROM {table}")).rowcount)  # noqa: S608


def _set_variable(connection: Connection, key: str, value: str) -> None:
    connection.execute(text("DELETE FROM variable WHERE key = :key"), {"key": key})
    connection.execute(
        text("INSERT INTO variable (key, val, is_encrypted) VALUES (:key, :value, false)"), {"key": key, "value": value}
    )


def _moment(connection: Connection, now: datetime) -> Any:
    """As the database keeps times: SQLite as text in UTC, without saying so."""
    if connection.dialect.name == SQLITE:
        return now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return now

"""Smoke test of a restored orchestrator: everything is there, can be read, and fits together. Needs no server."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from dr_lib.clock import monotonic
from dr_lib.errors import DrError
from dr_lib.model.drill import SmokeCheck, SmokeResult
from dr_lib.orchestrator import dumping, snapshot
from dr_lib.standby.smoke.request import result_to_json
from dr_lib.standby.smoke.timing import peak_rss_bytes


def check(request: dict[str, Any]) -> dict[str, Any]:
    """A `SmokeResult` as JSON."""
    started = monotonic()
    folder = Path(request["directory"])
    judged = [_judged(name, required, look, folder) for name, required, look in _CHECKS]
    broken = [one for one in judged if not one.passed]
    cause = f"{broken[0].name}: {broken[0].measured}" if broken else None
    seconds = monotonic() - started
    measures = {"peak_rss_bytes": float(peak_rss_bytes())}
    return result_to_json(SmokeResult(not broken, tuple(judged), cause, "cpu", seconds, seconds, measures))


def _judged(name: str, required: str, look: Callable[[Path], str], folder: Path) -> SmokeCheck:
    try:
        return SmokeCheck(name, look(folder), required, passed=True)
    except DrError as error:
        return SmokeCheck(name, error.what, required, passed=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, sqlite3.Error, yaml.YAMLError) as error:
        return SmokeCheck(name, f"{type(error).__name__}: {error}"[:200], required, passed=False)


def _described(folder: Path) -> str:
    said = snapshot.read_facts(folder)
    return f"Airflow {said['versions']['airflow']} at {said['taken_at']}"


def _database(folder: Path) -> str:
    """SQLite: every page is checked, and rows are counted; PostgreSQL: pg_restore reads all of the dump."""
    made = snapshot.dump_of(folder)
    wanted = snapshot.database_facts(snapshot.read_facts(folder)).counts
    if made.name == dumping.DUMP:
        command = [dumping.program("pg_restore"), "--file=/dev/null", str(made)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            raise ValueError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pg_restore failed")
        return "all of the dump reads"
    with sqlite3.connect(f"{made.absolute().as_uri()}?mode=ro&immutable=1", uri=True) as opened:
        [(said,)] = opened.execute("PRAGMA integrity_check")
        counts = {table: opened.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in wanted}  # noqa: S608
    opened.close()
    if said != "ok":
        raise ValueError(said)
    fewer = [f"{table} {counts[table]} of {count}" for table, count in wanted.items() if counts[table] < count]
    if fewer:
        raise ValueError(", ".join(fewer))
    return ", ".join(f"{count} {table}" for table, count in counts.items() if table in ("dag", "dag_run"))


def _secrets(folder: Path) -> str:
    connections = json.loads((folder / snapshot.CONNECTIONS).read_text(encoding="utf-8"))
    variables = json.loads((folder / snapshot.VARIABLES).read_text(encoding="utf-8"))
    settings = snapshot.read_settings(folder)
    return f"{len(connections)} connections, {len(variables)} variables, {len(settings)} settings"


def _code(folder: Path) -> str:
    code = folder / snapshot.CODE
    files = sorted(code.rglob("*.py"))
    for path in files:
        compile(path.read_bytes(), str(path), "exec")
    if not (code / "dr_lib").is_dir():
        raise ValueError("dr_lib is not among it")
    return f"{len(files)} files compile"


def _configuration(folder: Path) -> str:
    document = yaml.safe_load((folder / snapshot.CONFIG / "dr.yaml").read_text(encoding="utf-8"))
    return f"{len(document['regions'])} regions, {len(document.get('assets', {}))} assets"


_CHECKS: tuple[tuple[str, str, Callable[[Path], str]], ...] = (
    ("what it says of itself", "a snapshot", _described),
    ("metadata database", "reads whole, no row fewer", _database),
    ("connections and variables", "read", _secrets),
    ("DAG files, plugins and dr_lib", "compile", _code),
    ("dr.yaml", "reads", _configuration),
)

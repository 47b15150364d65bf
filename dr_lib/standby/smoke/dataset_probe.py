"""Smoke test of a dataset, and the recording it is compared with. Runs inside the fresh process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dr_lib.clock import monotonic
from dr_lib.errors import NotFound
from dr_lib.model.drill import SmokeCheck, SmokeResult
from dr_lib.standby.smoke import tables
from dr_lib.standby.smoke.request import EXPECTATIONS, TABLES, result_to_json
from dr_lib.standby.smoke.suites import Suite, assign, parse_suites
from dr_lib.standby.smoke.timing import peak_rss_bytes


@dataclass(frozen=True, slots=True)
class _Judged:
    """One check and, when it failed, its cause."""

    check: SmokeCheck
    cause: str | None = None


def record(request: dict[str, Any]) -> dict[str, Any]:
    """`{"tables": {path: {"rows", "columns", "stats"}}}` of every parquet and CSV file."""
    directory = Path(request["directory"])
    return {"tables": {name: tables.facts(directory, name) for name in tables.table_files(directory)}}


def hold(request: dict[str, Any]) -> dict[str, Any]:
    """`{"broken": [sentence, …]}`: what the tables break of the suites in the request, the first few of each table."""
    directory = Path(request["directory"])
    suites = parse_suites(request["suites"].encode(), where=EXPECTATIONS)
    judged = _judged(directory, suites, tables.table_files(directory))
    return {"broken": [item.cause for item in judged if item.cause is not None]}


def check(request: dict[str, Any]) -> dict[str, Any]:
    """Compare the restored tables with the recorded ones, read a sample of each, hold them to their suites."""
    directory, attachments = Path(request["directory"]), Path(request["attachments"])
    recorded = _recorded(attachments / TABLES)
    before = monotonic()
    judged = [_presence(directory, recorded)]
    present = [name for name in recorded if (directory / name).is_file()]
    judged += [_shape(directory, name, recorded[name]) for name in present]
    load_s = monotonic() - before
    judged += [_sample(directory, name, recorded[name]) for name in present]
    judged += _expectations(directory, attachments / EXPECTATIONS, present)
    # Rows that nothing has held to the expectations are an output, and not yet a correct one.
    first_output_s = monotonic() - request["started"]
    causes = [item.cause for item in judged if item.cause is not None]
    result = SmokeResult(
        passed=not causes,
        checks=tuple(item.check for item in judged),
        cause="; ".join(causes[:3]) or None,
        accelerator="cpu",
        load_s=load_s,
        first_output_s=first_output_s,
        measures=_measures(recorded, monotonic() - before),
    )
    return result_to_json(result)


def _recorded(path: Path) -> dict[str, dict[str, Any]]:
    try:
        recorded: dict[str, dict[str, Any]] = json.loads(path.read_bytes())["tables"]
    except FileNotFoundError:
        raise NotFound("the recovery point holds no table facts to compare with", where=str(path)) from None
    if not recorded:
        raise NotFound("the recovery point records no parquet or CSV table: there is nothing to test", where=str(path))
    return recorded


def _presence(directory: Path, recorded: dict[str, dict[str, Any]]) -> _Judged:
    absent = [name for name in recorded if not (directory / name).is_file()]
    there = f"{len(recorded) - len(absent)} there"
    check = SmokeCheck("recorded tables", there, str(len(recorded)), not absent)
    return _Judged(check, f"missing table: {', '.join(absent)}" if absent else None)


def _shape(directory: Path, name: str, recorded: dict[str, Any]) -> _Judged:
    found = tables.facts(directory, name)
    measured, required = _words(found), _words(recorded)
    same = all(found[fact] == recorded[fact] for fact in ("rows", "columns"))
    check = SmokeCheck(f"shape of {name}", measured, required, same)
    if check.passed:
        return _Judged(check)
    if found["rows"] != recorded["rows"]:
        return _Judged(check, f"rows differ: {name} has {found['rows']}, recorded were {recorded['rows']}")
    return _Judged(check, f"columns differ: {name} has {_unlike(found, recorded)} not as recorded")


def _words(facts: dict[str, Any]) -> str:
    return f"{facts['rows']} rows, {len(facts['columns'])} columns"


def _unlike(found: dict[str, Any], recorded: dict[str, Any]) -> str:
    one, other = dict(found["columns"]), dict(recorded["columns"])
    names = [name for name in {**other, **one} if one.get(name) != other.get(name)]
    return ", ".join(names[:5]) or "their order"


def _sample(directory: Path, name: str, recorded: dict[str, Any]) -> _Judged:
    frame = tables.sample(directory, name)
    wanted = min(tables.SAMPLE_ROWS, recorded["rows"])
    check = SmokeCheck(f"sample of {name}", f"{len(frame)} rows read", f"{wanted} rows", len(frame) == wanted)
    return _Judged(check, None if check.passed else f"rows differ: a sample of {name} has {len(frame)} rows")


def _expectations(directory: Path, path: Path, present: list[str]) -> list[_Judged]:
    if not path.is_file():
        return []
    return _judged(directory, parse_suites(path.read_bytes(), where=str(path)), present)


def _judged(directory: Path, suites: dict[str, Suite], present: list[str]) -> list[_Judged]:
    assigned = assign(suites, present)
    judged = [_validated(directory, name, suites) for name, suites in assigned.by_table.items()]
    return judged + [_unmatched(name) for name in assigned.unmatched]


def _validated(directory: Path, name: str, suites: list[Suite]) -> _Judged:
    from dr_lib.standby.smoke.expectations import validate

    outcome = validate(name, tables.whole(directory, name), suites)
    hold = outcome.total - len(outcome.broken)
    check = SmokeCheck(f"expectations of {name}", f"{hold} hold", str(outcome.total), not outcome.broken)
    broken = "; ".join(outcome.broken[:3])
    return _Judged(check, f"expectation broken: {name}: {broken}" if outcome.broken else None)


def _unmatched(name: str) -> _Judged:
    check = SmokeCheck(f"expectations of {name}", "no such table", "a table", passed=False)
    return _Judged(check, f"missing table: the expectations name {name}, and no table is called so")


def _measures(recorded: dict[str, dict[str, Any]], seconds: float) -> dict[str, float]:
    rows = float(sum(facts["rows"] for facts in recorded.values()))
    return {
        "tables": float(len(recorded)),
        "rows": rows,
        "throughput_rows_per_s": rows / seconds,
        "peak_rss_bytes": float(peak_rss_bytes()),
    }

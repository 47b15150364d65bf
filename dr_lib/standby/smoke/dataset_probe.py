"""Smoke test of a dataset, and the recording it is compared with. Runs inside the fresh process."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dr_lib.clock import monotonic
from dr_lib.errors import NotFound
from dr_lib.model.drill import SmokeCheck, SmokeResult
from dr_lib.model.smoke import PANDAS, SmokeLimits
from dr_lib.standby.smoke import limits, tables
from dr_lib.standby.smoke.readers import Read, read_sample
from dr_lib.standby.smoke.request import EXPECTATIONS, TABLES, result_to_json
from dr_lib.standby.smoke.sampling import chosen
from dr_lib.standby.smoke.suites import Suite, assign, parse_suites
from dr_lib.standby.smoke.table_contents import contents, units
from dr_lib.standby.smoke.timing import peak_rss_bytes


@dataclass(frozen=True, slots=True)
class _Judged:
    """One check and, when it failed, its cause."""

    check: SmokeCheck
    cause: str | None = None


def record(request: dict[str, Any]) -> dict[str, Any]:
    """`{"tables": {path: {"rows", "columns", "stats", "contents"}}}` of every parquet and CSV file; `contents` is left
    out where so much data is there that nothing of the table is compared by value."""
    directory = Path(request["directory"])
    found = {name: tables.facts(directory, name) for name in tables.table_files(directory)}
    parts = chosen(list(units(directory, found)))
    for name in found if parts is None else parts:
        found[name]["contents"] = contents(directory, name, None if parts is None else parts[name])
    return {"tables": found}


def hold(request: dict[str, Any]) -> dict[str, Any]:
    """`{"broken": [sentence, …]}`: what the tables break of the suites in the request, the first few of each table."""
    directory = Path(request["directory"])
    suites = parse_suites(request["suites"].encode(), where=EXPECTATIONS)
    judged = _judged(directory, suites, tables.table_files(directory))
    return {"broken": [item.cause for item in judged if item.cause is not None]}


def check(request: dict[str, Any]) -> dict[str, Any]:
    """Compare the restored tables with the recorded ones, read a sample of each, hold them to their suites."""
    recorded = read_recorded(request)
    before = monotonic()
    shapes = _shapes(request, recorded)
    judged = [_presence(recorded, shapes), *shapes.values()]
    load_s = monotonic() - before
    rows = {name: int(recorded[name]["rows"]) for name in shapes}
    read = read_sample(request.get("reader", PANDAS), Path(request["directory"]), rows)
    judged += [_Judged(read.check, read.cause), *_values(request, recorded, shapes)]
    # Rows that nothing has held to the record and the expectations are an output, and not yet a correct one.
    first_output_s = monotonic() - request["started"]
    measures = _measures(recorded, monotonic() - before, read) | {"load_s": load_s}
    bounds = list(limits.checks(SmokeLimits(**request.get("limits", {})), measures, None, unit="rows"))
    causes = [item.cause for item in judged if item.cause is not None]
    causes += [_passed(one) for one in bounds if not one.passed]
    result = SmokeResult(
        passed=not causes,
        checks=(*(item.check for item in judged), *bounds),
        cause="; ".join(causes[:3]) or None,
        accelerator="cpu",
        load_s=load_s,
        first_output_s=first_output_s,
        measures=measures,
    )
    return result_to_json(result)


def answers(request: dict[str, Any]) -> list[SmokeCheck]:
    """What `check` judges of the data, and not of its reader and of speed."""
    recorded = read_recorded(request)
    shapes = _shapes(request, recorded)
    judged = [_presence(recorded, shapes), *shapes.values(), *_values(request, recorded, shapes)]
    return [item.check for item in judged]


def read_recorded(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was recorded of the tables, by name; `NotFound` when that is nothing."""
    return _recorded(Path(request["attachments"]) / TABLES)


def _shapes(request: dict[str, Any], recorded: dict[str, dict[str, Any]]) -> dict[str, _Judged]:
    """Rows and columns of each table that is there."""
    directory = Path(request["directory"])
    there = (name for name in recorded if (directory / name).is_file())
    return {name: _shape(directory, name, recorded[name]) for name in there}


def _values(
    request: dict[str, Any], recorded: dict[str, dict[str, Any]], shapes: dict[str, _Judged]
) -> Iterator[_Judged]:
    """What the tables hold, against the record (where the shape is the recorded one) and the expectations."""
    directory, attachments = Path(request["directory"]), Path(request["attachments"])
    for name, shape in shapes.items():
        if shape.check.passed and "contents" in recorded[name]:
            yield _contents(directory, name, recorded[name])
    yield from _expectations(directory, attachments / EXPECTATIONS, list(shapes))


def _passed(check: SmokeCheck) -> str:
    start = "slow inference" if limits.is_speed(check) else "a limit is passed"
    return f"{start}: {check.name} {check.measured}, required {check.required}"


def _recorded(path: Path) -> dict[str, dict[str, Any]]:
    try:
        recorded: dict[str, dict[str, Any]] = json.loads(path.read_bytes())["tables"]
    except FileNotFoundError:
        raise NotFound("the recovery point holds no table facts to compare with", where=str(path)) from None
    if not recorded:
        raise NotFound("the recovery point records no parquet or CSV table: there is nothing to test", where=str(path))
    return recorded


def _presence(recorded: dict[str, dict[str, Any]], there: Collection[str]) -> _Judged:
    absent = [name for name in recorded if name not in there]
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


def _contents(directory: Path, name: str, recorded: dict[str, Any]) -> _Judged:
    """Every column, value by value, in the row groups that were recorded."""
    wanted, groups = recorded["contents"]["columns"], recorded["contents"]["groups"]
    found = contents(directory, name, groups)["columns"]
    names = [column for column, _ in recorded["columns"]]
    pairs = zip(names, found, wanted, strict=True)
    unlike = [_unlike_column(*one) for one in pairs if one[1][0] != one[2][0]]
    part = "" if groups is None else f" in {len(groups)} row groups"
    same = f"{len(names) - len(unlike)} columns as recorded{part}"
    check = SmokeCheck(f"values of {name}", same, f"{len(names)}", not unlike)
    return _Judged(check, f"values differ: {name}: {', '.join(unlike[:3])}" if unlike else None)


def _unlike_column(name: str, found: list[Any], recorded: list[Any]) -> str:
    means = (found[1], recorded[1])
    return name if None in means or means[0] == means[1] else f"{name} (mean {means[0]:.6g}, recorded {means[1]:.6g})"


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


def _measures(recorded: dict[str, dict[str, Any]], seconds: float, read: Read) -> dict[str, float]:
    rows = float(sum(facts["rows"] for facts in recorded.values()))
    return {
        "tables": float(len(recorded)),
        "rows": rows,
        "throughput_rows_per_s": rows / seconds,
        "rows_read_as_training_does": float(read.rows),
        "throughput_per_s": read.rows_per_s,
        "peak_rss_bytes": float(peak_rss_bytes()),
    }

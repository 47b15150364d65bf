"""The expectations file: one Great Expectations suite for every table, or one suite per table.

A plain suite (`{"name": …, "expectations": […]}`), as Great Expectations writes it, applies to every table of the
dataset. `{"suites": {"NAME": {suite}, …}}` says which suite belongs to which table; NAME is a path below the
dataset's root and may hold `*` and `?`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from dr_lib.errors import UsageError

Suite = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Suites by table name; `unmatched` are the names in the file that no table has."""

    by_table: dict[str, list[Suite]]
    unmatched: tuple[str, ...]


def parse_suites(data: bytes, where: str) -> dict[str, Suite]:
    """Suites by table name or pattern; `UsageError` names what in the file is no suite."""
    hint = 'write a Great Expectations suite, or {"suites": {"table.parquet": {suite}}}'
    try:
        document = json.loads(data)
    except ValueError as error:
        raise UsageError(f"the expectations file is not JSON ({error})", where=where, hint=hint) from error
    named = document.get("suites", {"*": document}) if isinstance(document, dict) else {"": document}
    if not isinstance(named, dict):
        raise UsageError('"suites" is not an object', where=where, hint=hint)
    broken = [name for name, suite in named.items() if not _is_suite(suite)]
    if broken or not named:
        raise UsageError(f"no list of expectations under {broken or ['suites']}", where=where, hint=hint)
    return named


def assign(suites: dict[str, Suite], tables: Iterable[str]) -> Assigned:
    """Every suite goes to all tables that its name matches; order follows `tables`."""
    by_table = {table: [suite for name, suite in suites.items() if _matches(table, name)] for table in tables}
    unmatched = tuple(name for name in suites if not any(_matches(table, name) for table in by_table))
    return Assigned({table: chosen for table, chosen in by_table.items() if chosen}, unmatched)


def _matches(table: str, name: str) -> bool:
    return table == name or fnmatchcase(table, name)


def _is_suite(suite: object) -> bool:
    return isinstance(suite, dict) and isinstance(suite.get("expectations"), list) and bool(suite["expectations"])

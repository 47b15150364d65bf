"""Canonical JSON: one byte string for one value, and a parser that trusts nothing.

Keys sorted, no white space, ASCII only (file names that are not UTF-8 survive as lone-surrogate escapes), no NaN.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from dr_lib.errors import IntegrityError


def dumps(value: Any) -> bytes:
    """Canonical bytes of a JSON value; `ValueError` for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def loads(data: bytes, where: str) -> dict[str, Any]:
    """The JSON object in `data`; `IntegrityError` naming `where` for anything else, duplicate keys included."""
    try:
        value = json.loads(data, object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"not a record of this format: {error}", where=where) from error
    if not isinstance(value, dict):
        raise IntegrityError("not a record of this format: no JSON object", where=where)
    return value


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: `2026-11-23T18:01:09.000001Z`; sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Inverse of `time_text`; `ValueError` for anything else."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value


def _no_constants(name: str) -> float:
    raise ValueError(f"{name} is not a number here")

"""Moments that a person writes."""

from __future__ import annotations

from datetime import UTC, datetime

from dr_lib.errors import UsageError


def moment(text: str | None) -> datetime | None:
    """The moment that `text` names in ISO 8601, in UTC where it says no other zone; `UsageError` (2) for no moment."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no moment", hint="write it like 2026-11-23T18:00:00Z") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

"""When something on a schedule was due."""

from __future__ import annotations

from datetime import UTC, datetime


def last_due(line: str, now: datetime) -> datetime:
    """The last moment at or before `now` that the cron line names, in UTC."""
    from croniter import croniter

    at: datetime = croniter(line, now.astimezone(UTC), ret_type=datetime).get_current(datetime)
    if croniter.match(line, at) and at.second == 0 and at.microsecond == 0:
        return at
    found: datetime = croniter(line, at, ret_type=datetime).get_prev(datetime)
    return found

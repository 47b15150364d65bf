"""When something on a schedule was due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def last_due(line: str, now: datetime) -> datetime:
    """The last moment at or before `now` that the cron line names, in UTC."""
    from croniter import croniter

    after = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    found: datetime = croniter(line, after, ret_type=datetime).get_prev()
    return found

"""Single values: text to durations, sizes, schedules and references. `ValueError` says what would be right.

No message repeats a value that may be a secret.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
NAME_RULE = "use 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit"

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?([KMGT]i?B)")
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
_CREDENTIALS = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|(?:profile|airflow):[A-Za-z0-9_.@+-]{1,128}")
_PRIVATE_KEY = re.compile(r"AGE-SECRET-KEY|-----BEGIN|dr-writer:|dr-signer:")
_ACCESS_KEY = re.compile(rf"(?:AKIA|ASIA)[A-Z0-9]{{16}}|{_PRIVATE_KEY.pattern}")
_SECRET_KEY = re.compile(r"(?=[^:]*[a-z])(?=[^:]*[A-Z])(?=[^:]*[0-9])[A-Za-z0-9/+=_-]{32,}")


def duration(value: object) -> timedelta:
    """`15m` and the like; zero is refused."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    length = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < length < 1e10:
        raise ValueError(f"{value!r} is no length of time; write a number and its unit: 30s, 15m, 1h, 7d")
    return timedelta(seconds=length)


def optional_duration(value: object) -> timedelta | None:
    """As `duration`; None stands for none."""
    return None if value is None else duration(value)


def size(value: object) -> int:
    """Bytes of `512MiB` and the like; zero is refused."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    count = int(float(match[1]) * _BYTES[match[2]]) if match else 0
    if count <= 0:
        raise ValueError(f"{value!r} is no size; write a number and its unit: 64MiB, 512MiB, 1GiB")
    return count


def rate(value: object) -> int:
    """Bytes a second of `50MB/s` and the like; zero is refused."""
    text_of = value.removesuffix("/s") if isinstance(value, str) and value.endswith("/s") else ""
    try:
        return size(text_of)
    except ValueError:
        raise ValueError(f"{value!r} is no rate; write a number and its unit: 512KiB/s, 20MB/s, 1GB/s") from None


def optional_rate(value: object) -> int | None:
    """As `rate`; None stands for no limit."""
    return None if value is None else rate(value)


def time_of_day(value: object) -> time:
    """`08:00` and the like, from 00:00 to 23:59."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{value!r} is no time of day; write hours and minutes in quotes: "08:00"')
    return time(int(match[1]), int(match[2]))


def timezone(value: object) -> ZoneInfo:
    """A time zone by its name in the IANA database."""
    try:
        return ZoneInfo(text(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone that is known here; write UTC or one like Europe/Berlin") from None


def schedule(value: object) -> str | None:
    """A cron line of five fields; the usual @names are spelled out. None stands for: only when a person asks."""
    if value is None:
        return None
    line = _PRESETS.get(value, value) if isinstance(value, str) else ""
    if len(line.split()) != 5 or not _is_cron(line):
        raise ValueError(f'{value!r} is no cron line; write five fields as in "0 2 * * *", or null for by hand')
    return line


@lru_cache(maxsize=1024)
def _is_cron(line: str) -> bool:
    from croniter import croniter

    return bool(croniter.is_valid(line))


def name(value: object) -> str:
    """A name that is safe in keys, DAG ids and file names."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name; {NAME_RULE}")
    return value


def credentials(value: object) -> str | None:
    """A reference to credentials; anything that looks like a credential itself is refused, and not repeated."""
    if value is None:
        return None
    forms = "write env:PREFIX, profile:NAME or airflow:CONN_ID"
    if isinstance(value, str) and looks_secret(value):
        raise ValueError(f"this looks like a secret, and secrets never stand in this file; {forms}, and revoke it")
    if not isinstance(value, str) or not _CREDENTIALS.fullmatch(value):
        raise ValueError(f"this is no reference to credentials; {forms}")
    return value


def looks_secret(value: str) -> bool:
    """True for what has the shape of an access key, a secret key or a private key."""
    return holds_access_key(value) or _SECRET_KEY.fullmatch(value.rpartition(":")[2]) is not None


def holds_access_key(value: str) -> bool:
    """True where an access key's id or a private key stands anywhere in `value`."""
    return _ACCESS_KEY.search(value) is not None


def holds_private_key(value: str) -> bool:
    """True where a private key of one of the kinds that this program uses stands anywhere in `value`."""
    return _PRIVATE_KEY.search(value) is not None


def text(value: object) -> str:
    """Text that is not empty; numbers and switches need quotes to be text."""
    if isinstance(value, bool | int | float):
        raise ValueError("this must be text; put it in quotes")
    if not isinstance(value, str) or not value.strip():
        raise ValueError("this must be text, and must not be empty")
    if "\x00" in value:
        raise ValueError("this holds a NUL character; remove it")
    return value


def whole(value: object, *, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r} is not allowed; write a whole number from {least} to {most}")
    return value

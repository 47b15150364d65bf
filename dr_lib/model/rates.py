"""How fast a region may be written to and read from, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, time, tzinfo


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes a second, on average; None: as fast as it goes."""

    upload: int | None = None
    download: int | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """Each day from `start` to before `end` these rates apply, over midnight when `end` is the earlier one.

    A rate that is None leaves the one of the whole day in force.
    """

    start: time
    end: time
    rates: Rates


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The rates of the whole day, and of hours of it in that time zone; the first hours that fit count."""

    rates: Rates = Rates()
    hours: tuple[Hours, ...] = ()
    timezone: tzinfo = UTC

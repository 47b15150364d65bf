"""Which rate is in force at a moment."""

from __future__ import annotations

from datetime import datetime, time

from dr_lib.model.rates import Hours, RateLimits, Rates


def rates_at(limits: RateLimits, moment: datetime) -> Rates:
    """The rates at an aware `moment`: those of the first hours that it lies in, else those of the whole day."""
    clock = moment.astimezone(limits.timezone).time()
    found = next((hours.rates for hours in limits.hours if _within(hours, clock)), Rates())
    whole = limits.rates
    return Rates(found.upload or whole.upload, found.download or whole.download)


def _within(hours: Hours, clock: time) -> bool:
    if hours.start <= hours.end:
        return hours.start <= clock < hours.end
    return clock >= hours.start or clock < hours.end

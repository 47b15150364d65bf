"""A region's limits as they stand in a `dr.yaml`: for a configuration that is written by this program."""

from __future__ import annotations

from typing import Any

from dr_lib.model.rates import RateLimits, Rates


def spelled(limits: RateLimits) -> dict[str, Any]:
    """The fields of `limits:`; reading them gives equal limits."""
    hours = [{"from": f"{one.start:%H:%M}", "to": f"{one.end:%H:%M}", **_rates(one.rates)} for one in limits.hours]
    return {**_rates(limits.rates), "hours": hours, "timezone": str(limits.timezone)}


def _rates(rates: Rates) -> dict[str, str]:
    named = {"upload": rates.upload, "download": rates.download}
    return {name: f"{rate / 1000:.3f}KB/s" for name, rate in named.items() if rate is not None}

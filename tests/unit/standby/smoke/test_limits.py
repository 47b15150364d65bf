"""What was measured against what was promised; what was not measured is never fine."""

from __future__ import annotations

import pytest

from dr_lib.model.smoke import SmokeLimits
from dr_lib.standby.smoke.limits import checks

MEASURES = {
    "latency_p95_s": 0.2,
    "latency_p50_s": 0.1,
    "load_s": 3.0,
    "throughput_per_s": 50.0,
    "peak_rss_bytes": 2e9,
}


def held(limits: SmokeLimits, recorded: float | None = 0.05) -> list[bool]:
    return [check.passed for check in checks(limits, MEASURES, recorded)]


def test_without_limits_nothing_is_judged() -> None:
    assert held(SmokeLimits()) == []


@pytest.mark.parametrize(
    ("limits", "holds"),
    [
        (SmokeLimits(latency_p95_s=0.2), True),
        (SmokeLimits(latency_p95_s=0.19), False),
        (SmokeLimits(load_s=3.0), True),
        (SmokeLimits(load_s=2.0), False),
        (SmokeLimits(throughput_per_s=50.0), True),
        (SmokeLimits(throughput_per_s=51.0), False),
        (SmokeLimits(peak_rss_bytes=2_000_000_000), True),
        (SmokeLimits(peak_rss_bytes=1_999_999_999), False),
        (SmokeLimits(slowdown=2.0), True),
        (SmokeLimits(slowdown=1.9), False),
    ],
)
def test_a_bound_holds_up_to_itself(limits: SmokeLimits, holds: object) -> None:
    assert held(limits) == [holds]


def test_what_was_not_measured_does_not_hold() -> None:
    (check,) = checks(SmokeLimits(peak_gpu_bytes=10), MEASURES, None)
    assert (check.passed, check.measured) == (False, "not measured")
    (check,) = checks(SmokeLimits(slowdown=2.0), MEASURES, None)
    assert (check.passed, check.measured) == (False, "not measured")

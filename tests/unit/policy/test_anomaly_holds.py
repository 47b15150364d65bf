"""A hold ends when no quarantine needs it any more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dr_lib.model.hold import ANOMALY, Hold
from dr_lib.policy.anomaly_holds import over


def hold(name: str | None, point: str = "0") -> Hold:
    return Hold("x", point, name, "why", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("causes", "distrusted", "point", "ended"),
    [
        ("1", "1", "1", "1"),
        ("1", "12", "1", ""),  # 2 came later and held nothing anew
        ("1", "12", "2", ""),  # 1 is still in quarantine
        ("1", "2", "2", "1"),
        ("1", "", "1", "1"),  # cut off after the clearance
        ("12", "12", "2", "2"),  # 1 is a matter of its own, and not over
        ("13", "3", "2", ""),  # 3 may rest on what 1 held
        ("3", "", "2", ""),
    ],
)
def test_which_holds_end(causes: str, distrusted: str, point: str, ended: str):
    found = over([hold(f"{ANOMALY}{cause}") for cause in causes], set(distrusted), point)
    assert [one.name for one in found] == [f"{ANOMALY}{cause}" for cause in ended]


def test_holds_of_people_and_those_that_cannot_be_read_stay():
    assert over([hold("legal"), hold(None)], set(), "9") == ()

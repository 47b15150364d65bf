"""Where points and drills are drawn."""

from __future__ import annotations

import time
from typing import Any

import pytest


def point(day: int, size: int, state: str = "verified", quarantined: str = "") -> dict[str, Any]:
    copies = [{"region": "a", "state": "damaged"}, {"region": "b", "state": state}]
    at = f"2026-11-{day:02}T00:00:00Z"
    facts = {"point": f"p{day}", "created_at": at, "copies": copies, "quarantined": quarantined}
    return facts | {"logical_bytes": size, "stored_bytes": size // 2}


def drill(day: int, verdict: str) -> dict[str, Any]:
    return {"finished_at": f"2026-11-{day:02}T12:00:00Z", "scenario": "region-lost", "verdict": verdict}


@pytest.mark.parametrize(("points", "drills"), [([], []), ([point(1, 5)], []), ([], [drill(1, "proven")])])
def test_one_moment_makes_no_line(points, drills):
    from dr_airflow.page import timeline

    assert timeline.of(points, drills) is None


def test_marks_lie_where_their_time_is_and_say_how_they_stand():
    from dr_airflow.page import timeline

    newest_first = [point(11, 100), point(6, 50, "complete"), point(1, 20, quarantined="NaN")]
    found = timeline.of(newest_first, [drill(5, "failed"), drill(3, "proven")])
    assert found is not None
    assert [(mark.x, mark.is_good) for mark in found.points] == [(0.0, False), (300.0, False), (600.0, True)]
    assert [(mark.x, mark.is_good) for mark in found.drills] == [(150.0, True), (270.0, False)]
    assert found.top == 100
    assert found.logical == "0.0,81.0 300.0,52.5 600.0,5.0"
    assert found.stored.endswith("600.0,52.5")


def test_drills_from_before_the_points_that_are_shown_are_left_out():
    from dr_airflow.page import timeline

    found = timeline.of([point(20, 1), point(10, 0)], [drill(12, "proven"), drill(2, "proven")])
    assert found is not None
    assert len(found.drills) == 1
    assert found.begin.startswith("2026-11-10")


def test_the_ends_of_the_line_are_told_in_utc_whatever_the_servers_clock_shows(monkeypatch):
    from dr_airflow.page import timeline

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = timeline.of([point(2, 1), point(1, 1)], [])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found is not None
    assert (found.begin, found.end) == ("2026-11-01T00:00:00+00:00", "2026-11-02T00:00:00+00:00")


def test_points_without_bytes_are_drawn_at_the_foot():
    from dr_airflow.page import timeline

    found = timeline.of([point(2, 0), point(1, 0)], [])
    assert found is not None
    assert found.logical == "0.0,100.0 600.0,100.0"

"""How a message reads."""

from __future__ import annotations

from datetime import UTC, datetime

from dr_lib.model.alert import OpenAlert, Severity
from dr_lib.notices.message import message_of
from dr_lib.policy.alerting import News

SINCE = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)


def alert(text: str, severity: Severity = Severity.WARNING) -> OpenAlert:
    return OpenAlert(text, severity, text, SINCE, SINCE)


def test_the_title_says_the_worst_and_the_body_a_line_each():
    bad, still, over = alert("m is gone", Severity.CRITICAL), alert("n is late"), alert("o was late")
    found = message_of(News(raised=(bad,), still=(still,), cleared=(over,)))
    assert found.title == "Disaster recovery, critical: 1 new, 1 still so, 1 over"
    assert found.body.splitlines() == [
        "[critical] m is gone",
        "[warning] still, since 2026-11-26T12:30:00 UTC: n is late",
        "[warning] over, was so since 2026-11-26T12:30:00 UTC: o was late",
    ]
    assert found.severity is Severity.CRITICAL


def test_an_all_clear_is_one():
    assert message_of(News(cleared=(alert("x"), alert("y")))).title == "Disaster recovery, all clear: 2 alerts are over"
    assert message_of(News(cleared=(alert("x"),))).severity is None


def test_five_hundred_troubles_are_one_short_message():
    found = message_of(News(raised=tuple(alert(f"m{n} is gone\nand " + "x" * 1000) for n in range(500))))
    lines = found.body.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 480 more: see the page Disaster Recovery"
    assert all(len(line) < 330 for line in lines)

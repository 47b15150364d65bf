"""The last table of the demo."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from dr_lib.demo.outsider import Seen
from dr_lib.demo.report import job_report, render

LOGIN = {"url": "http://127.0.0.1:8080", "user": "admin", "password": "word"}
POINT = {"point": "p1", "logical_bytes": 91_600_000, "stored_bytes": 83_600_000}
DRILL = {
    "drill": "d1",
    "verdict": "proven",
    "reasons": [],
    "rpo_s": 40.0,
    "rpo_objective_s": 86_400.0,
    "rto_s": 12.5,
    "rto_objective_s": 900.0,
    "phases": {"detect": 2.5, "restore": 10.0},
    "control": {
        "controls": [
            {"name": "a column perturbed", "caught": True, "detail": "x"},
            {"name": "two columns swapped", "caught": None, "detail": "there is one"},
        ]
    },
    "evidence": {"eu-west": "evidence/a/d1.json", "ap-south": "evidence/a/d1.json"},
}
FAILED = {
    **DRILL,
    "verdict": "not proven",
    "rto_s": None,
    "reasons": ["no correct output was seen"],
    "evidence": {},
    "control": None,
}
POINTS = [{"point": "p1", "copies": {"us-east": "verified", "eu-west": "damaged"}}]


def told(*drills, seen=Seen(sealed=True, signed=True)):  # noqa: B008 - it is frozen
    job = {f"asset{i}": {"point": POINT, "drill": drill} for i, drill in enumerate(drills)}
    report = job_report(job, POINTS, dict.fromkeys(job, seen), LOGIN)
    console = Console(width=100, file=StringIO())
    render(report, console)
    return report, console.file.getvalue()


def test_everything_a_person_asks_for_is_in_the_table():
    report, text = told(DRILL)
    assert report["proven"] is True
    for words in (
        "p1",
        "91.6 MB",
        "83.6 MB",
        "us-east: verified",
        "eu-west: damaged",
        "40.0 s ≤ 24 h",
        "12.5 s ≤ 15 min",
        "detect: 2.5 s",
        "sealed, signed",
        "a column perturbed: noticed",
        "PROVEN",
        "in eu-west, ap-south: evidence/a/d1.json",
        *LOGIN.values(),
    ):
        assert words in text


def test_a_copy_in_the_clear_or_unsigned_is_not_passed_over():
    report, text = told(DRILL, seen=Seen(sealed=False, signed=False))
    assert (report["assets"][0]["sealed"], report["assets"][0]["signed"]) == (False, False)
    assert "NOT SEALED, NOT SIGNED" in text


def test_one_asset_that_is_not_proven_spoils_the_whole():
    report, text = told(DRILL, FAILED)
    assert report["proven"] is False
    assert "NOT PROVEN" in text
    assert "not reached" in text
    assert "- no correct output was seen" in text
    assert "not tried" in text

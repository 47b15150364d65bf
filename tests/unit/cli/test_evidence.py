"""`drctl evidence`: what it asks of the runtime, what it tells, and when its exit code is not 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dr_lib.errors import IntegrityError
from tests.unit.cli.conftest import ANSWERS, POINT

CALLS = [
    (["list"], "evidence", {"asset": None, "limit": 50}),
    (["list", "m", "--limit", "3"], "evidence", {"asset": "m", "limit": 3}),
    (["show", "m"], "show_evidence", {"asset": "m", "drill": "latest"}),
    (["verify"], "verify_evidence", {"asset": None}),
    (["verify", "m"], "verify_evidence", {"asset": "m"}),
    (
        ["render", "m", POINT, "--html", "/t/p.html"],
        "render_evidence",
        {"asset": "m", "drill": POINT, "html": Path("/t/p.html"), "pdf": None},
    ),
    (["predict", "m", "--size", "500GB"], "predict_rto", {"asset": "m", "size": "500GB", "link": None}),
]
TOLD = [
    (["list"], ["region-lost", "proven", "9.5 s", "2 h ago", "note: b: no answer"]),
    (["show", "m"], ["PROVEN", "fetch 9.5 s, load nan", "locked to 2026-12-26", "c, NOT LOCKED", "there was no GPU"]),
    (["verify"], ["m: 1 of 1 hold", "0123456789abcdef", "note: b is silent"]),
    (["render", "m", "--html", "p"], ["/t/p.html, 50 kB"]),
    (["predict", "m"], ["10 min", "nine times out of ten", "500 GB", "by drills of m"]),
]
PROBLEM = {"asset": "m", "drill": POINT, "where": "region a, evidence/m/x.json", "what": "it was forged"}


@pytest.mark.parametrize(("arguments", "method", "expected"), CALLS)
def test_what_it_asks_for(drctl, arguments: list[str], method: str, expected: dict[str, Any]):
    code, document = drctl.json("--json", "evidence", *arguments)
    assert (code, drctl.runtime.calls) == (0, {method: expected})
    assert document == ANSWERS[method]


@pytest.mark.parametrize(("arguments", "words"), TOLD)
def test_what_it_tells(drctl, arguments: list[str], words: list[str]):
    assert drctl("evidence", *arguments) == 0
    said = " ".join(drctl.out.split())
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("command", ["list", "verify"])
def test_what_does_not_hold_is_exit_code_4_and_says_where(drctl, command: str):
    verified = {"assets": [{**ANSWERS["verify_evidence"]["assets"][0], "problems": [PROBLEM]}], "ok": False}
    drctl.runtime.answers |= {"evidence": {**ANSWERS["evidence"], "problems": [PROBLEM]}, "verify_evidence": verified}
    assert drctl("evidence", command) == 4
    said = " ".join(drctl.out.split())
    assert f"!! {POINT}: it was forged [region a, evidence/m/x.json]" in said
    if command == "verify":
        assert "m: 0 of 1 hold" in said


def test_nothing_is_said_to_be_nothing(drctl):
    drctl.runtime.answers["evidence"] = {"evidence": [], "problems": [], "silent": {}}
    drctl.runtime.answers["predict_rto"] = {"asset": "m", "seconds": None, "why": "it takes 3 drills"}
    assert (drctl("evidence", "list"), drctl.out) == (0, "there is no evidence of any drill\n")
    assert (drctl("evidence", "predict", "m"), drctl.out) == (0, "nothing can be foretold: it takes 3 drills\n")


def test_rendering_needs_a_file_and_evidence_that_holds(drctl):
    assert drctl("evidence", "render", "m") == 2
    drctl.runtime.answers["render_evidence"] = IntegrityError("the evidence does not hold", where="x")
    assert drctl("evidence", "render", "m", "--pdf", "p") == 4

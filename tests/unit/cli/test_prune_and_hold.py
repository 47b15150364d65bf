"""`drctl prune` and `drctl hold`: what they ask, what they say, and that nothing is told wider than a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from dr_lib.errors import NotFound
from tests.unit.cli.conftest import POINT

OTHER = "20261122T180000000000Z-0a1b2c3d"
LOCKED = {"key": f"points/m/{OTHER}.manifest", "until": "2026-12-23T18:00:00.000000Z"}
PLAN = "20261120T180000000000Z-99999999"
REGION: dict[str, Any] = {
    "region": "a",
    "executed": [],
    "due": [],
    "waiting": [],
    "proposed": {
        "points": [{"asset": "m", "point": OTHER}],
        "objects": 7,
        "bytes": 2_000_000,
        "locked": [],
        "held_up": [],
    },
    "plan": None,
    "warnings": [],
}
PRUNE: dict[str, Any] = {
    "applied": False,
    "grace_s": 259_200.0,
    "assets": [
        {
            "asset": "m",
            "points": [
                {"point": POINT, "expires": False, "reasons": ["newest verified point"]},
                {"point": OTHER, "expires": True, "reasons": []},
            ],
            "refused": None,
        }
    ],
    "regions": [REGION],
    "problems": [],
    "exit_code": 0,
}
HELD = {"asset": "m", "point": POINT, "name": "audit", "regions": ["a", "b"]}
HOLDS = {"holds": [{**HELD, "reason": "asked for", "at": "2026-11-23T18:00:00.000000Z"}], "silent": []}


@pytest.fixture(autouse=True)
def answers(drctl):
    drctl.runtime.answers |= {"prune": PRUNE, "list_holds": HOLDS, "add_hold": HELD, "remove_hold": HELD}


@pytest.mark.parametrize(
    ("arguments", "method", "given"),
    [
        (["prune"], "prune", {"asset": None, "region": None, "apply": False}),
        (["prune", "m", "--region", "a", "--apply"], "prune", {"asset": "m", "region": "a", "apply": True}),
        (["hold", "list"], "list_holds", {"asset": None}),
        (
            ["hold", "add", "m", POINT, "--name", "audit", "--reason", "asked for"],
            "add_hold",
            {"asset": "m", "point": POINT, "name": "audit", "reason": "asked for"},
        ),
        (
            ["hold", "remove", "m", POINT, "--name", "audit", "--reason", "done"],
            "remove_hold",
            {"asset": "m", "point": POINT, "name": "audit", "reason": "done"},
        ),
    ],
)
def test_what_a_command_asks_and_answers(drctl, arguments, method, given):
    assert drctl(*arguments) == 0
    assert drctl.runtime.calls[method] == given
    assert max(len(line) for line in drctl.out.splitlines()) <= 80
    assert drctl.json(*arguments, "--json") == (0, drctl.runtime.answers[method])


def test_a_dry_run_tells_each_fate_and_its_reason_and_that_nothing_was_changed(drctl):
    drctl("prune")
    fates = {line.split()[1]: " ".join(line.split()[2:]) for line in drctl.out.splitlines() if line.startswith("m ")}
    assert fates == {POINT: "stays newest verified point", OTHER: "may go no rule keeps it"}
    assert "a: would plan 1 point, 7 objects, 2 MB" in drctl.out
    assert "nothing was changed; --apply plans and deletes" in drctl.out


def test_what_was_done_and_what_waits_and_what_is_locked_is_told(drctl):
    amount = {"objects": 5, "bytes": 1000}
    done = {**amount, "plan": PLAN, "state": "done", "points": [OTHER], "kept": [POINT], "locked": [LOCKED]}
    waiting = {**amount, "plan": PLAN, "points": [OTHER], "due_at": "2026-11-26T18:00:00.000000Z"}
    region = {**REGION, "executed": [done], "waiting": [waiting], "plan": OTHER, "warnings": ["mind the gap"]}
    drctl.runtime.answers["prune"] = {**PRUNE, "applied": True, "regions": [region]}
    assert drctl("prune", "--apply") == 0
    said = " ".join(drctl.out.split())
    assert f"a: plan {PLAN} done: deleted 1 point, 5 objects, 1 kB; kept {POINT}, which something keeps" in said
    assert f"a: locked until {LOCKED['until']}: {LOCKED['key']}" in said
    assert f"a: plan {PLAN} waits until 2026-11-26T18:00:00.000000Z" in said
    assert f"a: planned 1 point, 7 objects, 2 MB as {OTHER}; deleted by a run in 3 d or later" in said
    assert "a: mind the gap" in said
    assert "nothing was changed" not in said


def test_a_refusal_is_told_and_is_the_exit_code(drctl):
    judged = {**PRUNE["assets"][0], "refused": "would let 1 of 2 points go"}
    found = {**PRUNE, "assets": [judged], "problems": ["would let 1 of 2 points go"], "exit_code": 7}
    drctl.runtime.answers["prune"] = found
    assert drctl("prune") == 7
    assert "!! would let 1 of 2 points go" in drctl.out
    assert "may go" not in drctl.out
    assert drctl.json("prune", "--json") == (7, found)


def test_holds_are_listed_with_their_reason_and_what_is_not_known_is_said(drctl):
    unreadable = {**HOLDS["holds"][0], "name": None, "reason": None}
    drctl.runtime.answers["list_holds"] = {"holds": [*HOLDS["holds"], unreadable], "silent": ["b does not answer"]}
    assert drctl("hold", "list") == 0
    said = " ".join(drctl.out.split())
    assert "audit" in said
    assert "cannot" in said
    assert "!! there may be more: b does not answer" in said


def test_a_hold_on_nothing_is_exit_5(drctl):
    drctl.runtime.answers["add_hold"] = NotFound("no region has a point")
    assert drctl("hold", "add", "m", "p", "--name", "n", "--reason", "r") == 5
    assert "no region has a point" in drctl.err

"""What `drctl drill` tells a person of a disaster, of a refusal, and of how a plan stands."""

from __future__ import annotations

from tests.unit.cli.conftest import ANSWERS, CONTROL

BLOCKED = [{"name": "free disk bytes", "class": "blocking", "reason": "too little"}]


def told(drctl, **facts) -> str:
    applied = {"really": True, "how": "the command `lose` of a was run", "undone": True}
    more = {"applied": applied, "expected": "recovery", "detours": [], "clock_skew_s": 0.1, "preflight": []}
    drctl.runtime.answers["drill"] = {**ANSWERS["drill"], **more, **facts}
    drctl("drill", "m")
    return " ".join(drctl.out.split())


def test_what_was_done_to_the_world_is_told(drctl):
    assert "disaster the command `lose` of a was run; everything is as before" in told(drctl)


def test_what_is_not_undone_is_told_loudly(drctl):
    assert "NOT UNDONE" in told(drctl, applied={"really": True, "how": "x", "undone": False})


def test_what_was_not_really_done_is_told(drctl):
    assert "disaster not really: it kept away" in told(
        drctl, applied={"really": False, "how": "it kept away", "undone": None}
    )


def test_a_detour_is_told(drctl):
    assert "detour a was asked first: rotten" in told(drctl, detours=["a was asked first: rotten"])


def test_a_clock_that_is_off_is_told_and_one_that_is_right_is_not(drctl):
    assert "clock +21600.0 s off the region's" in told(drctl, clock_skew_s=21600.0)
    assert "clock" not in told(drctl, clock_skew_s=0.3)
    assert "clock" not in told(drctl, clock_skew_s=None)


def test_a_refusal_claims_no_recovery(drctl):
    words = told(drctl, expected="refusal", rto_s=None, preflight=BLOCKED)
    assert "refused for free disk bytes" in words
    assert "RTO" not in words
    assert "restored" not in words


def test_a_plan_is_a_line_a_scenario(drctl):
    drctl("drill", "--list")
    lines = [line.split() for line in drctl.out.splitlines()]
    assert ["m", "region-lost", "proven", "90", "s", "ago"] in lines
    assert ["m", "key-lost", "never", "-"] in lines
    assert "not proven (policy changed)" in drctl.out
    assert "never drilled: key-lost" in drctl.out


def test_an_undoing_tells_what_it_undid_and_what_to_know(drctl):
    drctl("drill", "--undo")
    assert "undone: region-lost of m, drill d0" in drctl.out
    assert "a note" in drctl.out


def test_nothing_to_undo_is_said(drctl):
    drctl.runtime.answers["undo_drills"] = {"undone": [], "failed": [], "unswept": [], "ok": True}
    drctl("drill", "--undo")
    assert "no drill has left anything to undo" in drctl.out


def test_a_drill_of_nothing_is_exit_2(drctl):
    assert drctl("drill") == 2
    assert "no asset is named" in drctl.err


def test_the_damage_that_was_tried_is_told(drctl):
    said = told(drctl, control=CONTROL)
    assert "noticed w with noise: cosine 0.9" in said
    assert "not tried there are no two" in said
    assert "smallest noticed noise of 0.00071 of the norm of w" in said


def test_where_evidence_is_locked_is_told(drctl):
    locks = {"b": "2026-12-26T00:00:00Z", "c": "unlocked"}
    said = told(drctl, evidence={"b": "k1", "c": "k2", "d": "k3"}, evidence_locks=locks)
    assert "b: k1, locked to 2026-12-26 evidence c: k2, NOT LOCKED evidence d: k3 " in said

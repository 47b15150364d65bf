"""A standby that was not cut off proves nothing; one of which it is not known leaves a gap that is told."""

from __future__ import annotations

from datetime import timedelta

from dr_lib.model.asset import Objectives
from dr_lib.model.drill import Assertion, Control, Sensitivity, SmokeResult
from dr_lib.policy.drill_verdict import judge, unproven

OBJECTIVES = Objectives(timedelta(hours=1), timedelta(hours=1))
SMOKE = SmokeResult(passed=True, checks=(), cause=None, accelerator="gpu", load_s=1, first_output_s=1)
CAUGHT = Sensitivity((Control("a tensor perturbed", caught=True, detail="by the answers"),))
HELD = Assertion("the source cannot be read", held=True, detail="not permitted by the confinement")
BROKEN = Assertion("the source cannot be read", held=False, detail="it can be read")
UNKNOWN = Assertion("region x cannot be connected to", held=None, detail="TCP to port 443 connects: shared")


def test_what_held_is_neither_a_reason_nor_a_gap():
    assert judge(OBJECTIVES, 1, 1, SMOKE, None, (HELD,)) == ()
    assert unproven("x", SMOKE, (HELD,), lost_really=True, control=CAUGHT) == ()


def test_what_did_not_hold_is_a_reason():
    assert judge(OBJECTIVES, 1, 1, SMOKE, None, (HELD, BROKEN)) == (
        "the standby was not cut off: the source cannot be read: it can be read",
    )


def test_what_is_not_known_is_a_gap_and_no_reason():
    assert judge(OBJECTIVES, 1, 1, SMOKE, None, (UNKNOWN,)) == ()
    assert unproven("x", SMOKE, (HELD, UNKNOWN), lost_really=True, control=CAUGHT) == (
        "not shown that region x cannot be connected to: TCP to port 443 connects: shared",
    )


def test_a_standby_that_was_never_asked_is_a_gap():
    assert unproven("x", SMOKE, (), lost_really=True, control=CAUGHT) == (
        "whether the standby was cut off from the source was not tried",
    )

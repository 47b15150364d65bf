"""The verdict of a drill, a table: what it proves, what it refuses to claim, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dr_lib.errors import IntegrityError, Refused
from dr_lib.model.asset import Objectives
from dr_lib.model.drill import Assertion, Control, Sensitivity, SmokeResult
from dr_lib.model.kit import KitFacts, KitState
from dr_lib.policy.drill_verdict import doubts, judge, judge_refusal, kit_gaps, unproven

PROMISED = Objectives(timedelta(minutes=10), timedelta(minutes=5))
PASSED = SmokeResult(passed=True, checks=(), cause=None, accelerator="cpu", load_s=1, first_output_s=1)
FAILED = SmokeResult(passed=False, checks=(), cause="NaN", accelerator="cpu", load_s=1, first_output_s=1)
LEAK = (Assertion("the source is out of reach", held=False, detail="it could be read"),)
UNKNOWN = (Assertion("the source is out of reach", held=None, detail="no way to try"),)
CUT_OFF = (Assertion("the source is out of reach", held=True, detail="refused"),)


def control(*, caught: bool | None) -> Sensitivity:
    return Sensitivity((Control("two layers swapped", caught=caught, detail="one layer only"),))


@pytest.mark.parametrize(
    ("rpo", "rto", "smoke", "failure", "isolation", "sensitivity", "words"),
    [
        (1, 1, PASSED, None, CUT_OFF, control(caught=True), ()),
        (600, 300, PASSED, None, (), None, ()),
        (1, 1, PASSED, None, UNKNOWN, control(caught=None), ()),
        (601, 1, PASSED, None, (), None, ("was 601 s old; 600 s were promised",)),
        (1, 301, PASSED, None, (), None, ("took 301 s; 300 s were promised",)),
        (None, 1, PASSED, None, (), None, ("no verified point survived",)),
        (1, None, FAILED, None, (), None, ("smoke test failed: NaN", "no correct output was seen")),
        (1, None, None, None, (), None, ("no smoke test was run", "no correct output was seen")),
        (1, None, None, IntegrityError("rotten"), (), None, ("rotten", "no correct output was seen")),
        (1, 1, PASSED, None, LEAK, None, ("not cut off: the source is out of reach: it could be read",)),
        (1, 1, PASSED, None, (), control(caught=False), ("did not notice: two layers swapped",)),
    ],
    ids=[
        *("all well", "just kept", "gaps are no reasons", "rpo missed", "rto missed", "nothing survived"),
        *("smoke failed", "no smoke", "stopped", "leak", "insensitive"),
    ],
)
def test_recovery(rpo, rto, smoke, failure, isolation, sensitivity, words):
    reasons = judge(PROMISED, rpo, rto, smoke, failure, isolation, sensitivity)
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


@pytest.mark.parametrize(
    ("blocked", "failure", "fetched", "words"),
    [
        (Refused("too small"), None, 0, ()),
        (None, None, 0, ("the standby took the asset",)),
        (None, IntegrityError("rotten"), 0, ("rotten",)),
        (Refused("too small"), None, 5, ("5 bytes were fetched",)),
    ],
    ids=["refused", "taken", "something else", "too late"],
)
def test_refusal(blocked, failure, fetched, words):
    reasons = judge_refusal(blocked, failure, fetched)
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


@pytest.mark.parametrize(
    ("scenario", "given", "words"),
    [
        ("region-lost", {}, None),
        ("region-lost", {"undone": False}, "not as before"),
        ("region-lost", {"undone": None}, None),
        ("pack-damaged", {"detected": True}, None),
        ("pack-damaged", {"detected": False}, "nothing noticed it"),
        ("pack-damaged", {"detected": False, "really": False}, None),
        ("clock-skewed", {"skews": (21600.0, 21601.0)}, None),
        ("clock-skewed", {"skews": (-21600.0, -21599.0)}, None),
        ("clock-skewed", {"skews": (21600.0, 0.4)}, "took it for 0 s"),
        ("clock-skewed", {"skews": (21600.0, -21600.0)}, "took it for -21600 s"),
        ("clock-skewed", {"skews": (21600.0, None)}, "the RPO is not known"),
        ("region-lost", {"skews": (0.0, None)}, None),
        ("region-lost", {"skews": (0.0, 9999.0)}, None),
    ],
)
def test_reasons_of_a_scenario_s_own(scenario: str, given, words: str | None):
    facts = {"really": True, "undone": True, "detected": False, "skews": (0.0, 0.1)} | given
    found = doubts(scenario, **facts)
    assert len(found) == (words is not None)
    assert all(words in reason for reason in found)


def test_what_was_not_shown_is_told():
    told = unproven(
        "one",
        PASSED,
        UNKNOWN,
        lost_really=False,
        control=control(caught=None),
        gaps=("the live data was not touched",),
        skew_s=None,
    )
    parts = (
        "live data",
        "out of reach",
        "one was not really down",
        "time",
        "two layers swapped",
        "damaged copy",
        "without a GPU",
    )
    assert len(told) == len(parts)
    assert all(any(part in text for text in told) for part in parts)


def test_a_scenario_that_loses_no_region_claims_none():
    assert unproven("", None, CUT_OFF, lost_really=False) == ()


@pytest.mark.parametrize("tried", [None, Sensitivity(())])
def test_a_smoke_test_that_was_never_shown_damage_is_told(tried):
    told = unproven("", PASSED, CUT_OFF, lost_really=False, control=tried)
    assert "whether the smoke test would notice a damaged copy was not tried" in told
    assert not any(
        "damaged copy" in text
        for text in unproven("", PASSED, CUT_OFF, lost_really=False, control=control(caught=True))
    )


FACTS = KitFacts("a" * 64, 1, "1", datetime(2026, 11, 27, tzinfo=UTC))
WHOLE = KitState("one", "kit/a", 1, "a" * 64, FACTS)
NO_KIT = KitState("two", problem="there is none")
OLD_KIT = KitState("two", "kit/a", 1, "a" * 64, FACTS, "it is older than the vault")
FORGED_KIT = KitState("two", "kit/a", problem="it is signed by nobody who is trusted")
UNREAD_KIT = KitState("two", problem="it could not be looked at")


@pytest.mark.parametrize(
    ("kit", "reasons", "gaps"),
    [
        (WHOLE, 0, 0),
        (NO_KIT, 0, 1),
        (OLD_KIT, 0, 1),
        (UNREAD_KIT, 0, 1),
        (FORGED_KIT, 1, 0),
    ],
    ids=["whole", "none", "old", "unread", "forged"],
)
def test_a_kit_that_people_must_not_run_leaves_a_drill_unproven_and_one_that_lacks_is_told(kit, reasons, gaps):
    found = judge(PROMISED, 1, 1, PASSED, None, CUT_OFF, control(caught=True), (WHOLE, kit))
    assert (len(found), len(kit_gaps((WHOLE, kit)))) == (reasons, gaps)
    assert all(f"in two: {kit.problem}" in text for text in found)
    assert all(kit.problem in text for text in kit_gaps((kit,)))

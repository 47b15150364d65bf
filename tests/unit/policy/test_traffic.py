"""Who may move traffic, and when it ought to be moved."""

import pytest

from dr_lib.model.serving import Site, Traffic
from dr_lib.policy.health import Verdict
from dr_lib.policy.traffic import Due, Look, due, objection

PRIMARY, STANDBY = Site.PRIMARY, Site.STANDBY


def look(primary: Verdict, standby: Verdict = Verdict.DOWN, serving: tuple[Site, ...] = (PRIMARY,)) -> Look:
    return Look(Traffic(frozenset(serving)), {PRIMARY: primary, STANDBY: standby})


@pytest.mark.parametrize(
    ("primary", "asked", "automatic"),
    [
        (Verdict.HEALTHY, Due.NOTHING, Due.NOTHING),
        (Verdict.FLAPPING, Due.NOTHING, Due.NOTHING),
        (Verdict.UNKNOWN, Due.NOTHING, Due.NOTHING),
        (Verdict.DOWN, Due.ASK, Due.ACT),
        (Verdict.WRONG, Due.ASK, Due.ASK),
    ],
)
def test_what_a_look_calls_for(primary: Verdict, asked: Due, automatic: Due):
    assert due(look(primary), is_automatic=False) is asked
    assert due(look(primary), is_automatic=True) is automatic


@pytest.mark.parametrize("serving", [(STANDBY,), (), (PRIMARY, STANDBY)])
def test_nothing_swings_back_by_itself(serving: tuple[Site, ...]):
    assert due(look(Verdict.DOWN, Verdict.DOWN, serving), is_automatic=True) is Due.NOTHING


@pytest.mark.parametrize("primary", [Verdict.HEALTHY, Verdict.FLAPPING, Verdict.UNKNOWN])
def test_a_primary_that_does_not_fail_for_certain_is_left_only_when_that_is_planned(primary: Verdict):
    assert "primary serves" in str(objection(look(primary), STANDBY, is_planned=False))
    assert objection(look(primary), STANDBY, is_planned=True) is None


@pytest.mark.parametrize("primary", [Verdict.DOWN, Verdict.WRONG])
def test_a_failing_primary_may_be_left(primary: Verdict):
    assert objection(look(primary), STANDBY, is_planned=False) is None


def test_where_a_switch_stopped_half_way_traffic_may_be_moved_on():
    half = look(Verdict.HEALTHY, Verdict.HEALTHY, (PRIMARY, STANDBY))
    assert objection(half, STANDBY, is_planned=False) is None


def test_back_to_the_primary_whenever_a_person_asks():
    assert objection(look(Verdict.DOWN, Verdict.HEALTHY, (STANDBY,)), PRIMARY, is_planned=False) is None

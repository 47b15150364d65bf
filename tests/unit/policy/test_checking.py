"""What is critical, what can wait, and what nobody knows; an alert and a check never say otherwise of one thing."""

from __future__ import annotations

import pytest

from dr_lib.model.alert import Severity
from dr_lib.model.serving import Site, Traffic
from dr_lib.model.state import State, worst
from dr_lib.policy.checking import judged, judged_endpoint
from dr_lib.policy.health import Verdict
from dr_lib.policy.traffic import Look
from dr_lib.use_cases.alarming import _condition


@pytest.mark.parametrize(
    ("rpo_s", "problems", "unknown", "state"),
    [
        (10.0, (), "", State.OK),
        (80.0, (), "", State.OK),
        (80.1, (), "", State.WARNING),
        (10.0, ("b does not answer",), "", State.WARNING),
        (100.0, ("never drilled",), "", State.WARNING),
        (100.1, (), "", State.CRITICAL),
        (None, ("no verified point",), "", State.CRITICAL),
        (10.0, (), "nobody looked", State.UNKNOWN),
        (None, ("no verified point",), "no region answers", State.UNKNOWN),
    ],
)
def test_the_state_of_an_asset(rpo_s, problems, unknown, state):
    found = judged(rpo_s, 100.0, problems, unknown=unknown, share=0.8)
    assert found.state is state
    assert found.reasons


def test_what_is_lost_comes_before_what_nobody_knows_and_that_before_what_can_wait():
    assert worst([State.OK, State.CRITICAL, State.UNKNOWN, State.WARNING]) is State.CRITICAL
    assert worst([State.WARNING, State.UNKNOWN, State.OK]) is State.UNKNOWN
    assert worst([State.OK, State.WARNING]) is State.WARNING
    assert worst([]) is State.OK


def test_the_codes_are_those_of_the_protocol():
    assert {state.value: state.code for state in State} == {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}


@pytest.mark.parametrize("rpo_s", [None, 10.0, 100.0, 101.0])
@pytest.mark.parametrize("problems", [(), ("b does not answer",)])
def test_an_alert_has_the_severity_that_a_check_has(rpo_s, problems):
    state = judged(rpo_s, 100.0, problems).state
    if state is State.OK:
        return
    view = {"asset": "m", "rpo_s": rpo_s, "rpo_objective_s": 100.0, "protection": "failing", "problems": problems}
    assert _condition(view).severity is Severity(state.value)


UP, BOTH, NOBODY = frozenset({Site.PRIMARY}), frozenset(Site), frozenset[Site]()


@pytest.mark.parametrize(
    ("sites", "stands", "problem", "is_read", "state"),
    [
        (UP, Verdict.HEALTHY, "", True, State.OK),
        (UP, Verdict.HEALTHY, "the lease cannot be read", True, State.WARNING),
        (UP, Verdict.FLAPPING, "it swings", True, State.WARNING),
        (UP, Verdict.DOWN, "it is down", True, State.CRITICAL),
        (UP, Verdict.WRONG, "it is wrong", True, State.CRITICAL),
        (UP, Verdict.UNKNOWN, "nobody asked", True, State.UNKNOWN),
        (BOTH, Verdict.HEALTHY, "", True, State.CRITICAL),
        (NOBODY, Verdict.HEALTHY, "", True, State.CRITICAL),
        (NOBODY, Verdict.HEALTHY, "the switch is gone", False, State.UNKNOWN),
    ],
)
def test_how_an_endpoint_stands_for_its_callers(
    sites: frozenset[Site], stands: Verdict, problem: str, is_read: object, state: State
):
    look = Look(Traffic(sites), {Site.PRIMARY: stands, Site.STANDBY: Verdict.HEALTHY})
    found = judged_endpoint(look, problem, is_read=bool(is_read))
    assert found.state is state
    assert found.reasons[0]
    assert not problem or found.reasons == (problem,)


def test_one_that_is_served_by_its_standby_has_nothing_to_fail_over_to():
    look = Look(Traffic(frozenset({Site.STANDBY})), {Site.PRIMARY: Verdict.DOWN, Site.STANDBY: Verdict.HEALTHY})
    assert judged_endpoint(look, "", is_read=True).state is State.WARNING

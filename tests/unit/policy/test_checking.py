"""What is critical, what can wait, and what nobody knows; an alert and a check never say otherwise of one thing."""

from __future__ import annotations

import pytest

from dr_lib.model.alert import Severity
from dr_lib.model.state import State, worst
from dr_lib.policy.checking import judged
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

"""N of M: failure, health, and what is neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.policy.health import Said, Thresholds, Verdict, verdict

WORDS = {"R": Said.RIGHT, "W": Said.WRONG, "N": Said.NOTHING}
RULE = Thresholds(of=5, fall=3, rise=3)


def seen(text: str) -> list[Said]:
    return [WORDS[letter] for letter in text]


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("RRRRR", Verdict.HEALTHY),
        ("NNRRR", Verdict.HEALTHY),
        ("NNNNN", Verdict.DOWN),
        ("RNRNN", Verdict.DOWN),
        ("WWWWW", Verdict.WRONG),
        ("RRWWW", Verdict.WRONG),
        ("NNWWW", Verdict.WRONG),
        ("WWNNN", Verdict.DOWN),
        ("NRNRN", Verdict.DOWN),
        ("RNRNR", Verdict.FLAPPING),
        ("NNNRR", Verdict.FLAPPING),
        ("RRRRN", Verdict.FLAPPING),
        ("RRRNN", Verdict.FLAPPING),
        ("RRRR", Verdict.UNKNOWN),
        ("", Verdict.UNKNOWN),
        ("NNNNNNNRRRRR", Verdict.HEALTHY),
    ],
)
def test_verdicts(text: str, stands: Verdict):
    assert verdict(seen(text), RULE) is stands


@given(st.lists(st.sampled_from(list(Said)), max_size=12), st.data())
def test_only_the_last_answers_count_and_one_good_answer_never_makes_a_failure(heard: list[Said], data: st.DataObject):
    of = data.draw(st.integers(1, 6))
    rule = Thresholds(of, data.draw(st.integers(1, of)), data.draw(st.integers(1, of)))
    found = verdict(heard, rule)
    assert verdict([Said.NOTHING, *heard], rule) is found or len(heard) < of
    if found in (Verdict.DOWN, Verdict.WRONG):
        assert heard[-1] is not Said.RIGHT
        assert sum(one is not Said.RIGHT for one in heard[-of:]) >= rule.fall
    if found is Verdict.HEALTHY:
        assert heard[-1] is Said.RIGHT

"""What is news, and what was told already."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.model.alert import Condition, OpenAlert, Severity
from dr_lib.policy.alerting import News, news

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
W, C = Severity.WARNING, Severity.CRITICAL


def condition(key: str = "asset:m", severity: Severity = W, text: str = "bad") -> Condition:
    return Condition(key, severity, text)


def alert(key: str = "asset:m", severity: Severity = W, told: datetime | None = NOW - timedelta(hours=1)) -> OpenAlert:
    return OpenAlert(key, severity, "bad", NOW - timedelta(hours=2), told)


def known(*alerts: OpenAlert) -> dict[str, OpenAlert]:
    return {one.key: one for one in alerts}


def test_what_was_not_so_before_is_raised_from_now_on():
    found = news({}, [condition()], NOW, DAY)
    assert found == News(raised=(OpenAlert("asset:m", W, "bad", NOW, None),))


def test_what_was_told_lately_is_not_told_again_and_its_text_is_kept_up():
    found = news(known(alert()), [condition(text="worse words")], NOW, DAY)
    assert found.is_empty
    assert [one.text for one in found.quiet] == ["worse words"]
    assert found.quiet[0].since == NOW - timedelta(hours=2)


@pytest.mark.parametrize(("before", "after", "told"), [(W, C, True), (C, W, False), (C, C, False)])
def test_what_gets_worse_is_told_and_what_gets_better_is_not(before: Severity, after: Severity, *, told: bool):
    found = news(known(alert(severity=before)), [condition(severity=after)], NOW, DAY)
    assert bool(found.raised) is told
    assert [one.severity for one in (*found.raised, *found.quiet)] == [max(before, after, key=lambda one: one.rank)]


def test_who_was_woken_by_the_worst_hears_the_end_of_it_also_when_it_got_better_first():
    left = known(*news(known(alert(severity=C)), [condition(severity=W)], NOW, DAY).after(NOW))
    assert [one.key for one in news(left, [], NOW, DAY).at_least(C).cleared] == ["asset:m"]


@pytest.mark.parametrize(("repeat", "told"), [(timedelta(minutes=30), True), (DAY, False), (None, False)])
def test_what_stays_so_is_told_again_after_a_while(repeat: timedelta | None, *, told: bool):
    assert bool(news(known(alert()), [condition()], NOW, repeat).still) is told


def test_what_is_over_is_told_and_is_open_no_more():
    found = news(known(alert()), [], NOW, DAY)
    assert [one.key for one in found.cleared] == ["asset:m"]
    assert found.after(NOW) == ()


def test_what_was_over_before_anybody_heard_of_it_is_nobodys_news():
    found = news(known(alert(told=None)), [], NOW, DAY)
    assert found.is_empty
    assert found.after(NOW) == ()


def test_what_nobody_could_be_told_of_is_told_at_the_next_look_with_its_own_beginning():
    first = news({}, [condition()], NOW, DAY).after(None)
    found = news(known(*first), [condition()], NOW + DAY, DAY)
    assert [(one.since, one.told_at) for one in found.raised] == [(NOW, None)]


def test_an_all_clear_that_nobody_took_is_told_at_the_next_look():
    left = news(known(alert()), [], NOW, DAY).after(None)
    assert [one.key for one in news(known(*left), [], NOW, DAY).cleared] == ["asset:m"]


def test_who_wants_only_the_worst_hears_of_it_that_it_is_over_too():
    found = news(known(alert("a", C), alert("b", W)), [condition("c", C), condition("d", W)], NOW, DAY)
    heard = found.at_least(C)
    assert ([one.key for one in heard.raised], [one.key for one in heard.cleared]) == (["c"], ["a"])


_KEYS = st.sampled_from("abcd")
_SEEN = st.lists(st.tuples(_KEYS, st.sampled_from(Severity)), max_size=5)


def test_that_it_got_worse_is_told_at_the_next_look_when_nobody_took_it_and_so_is_its_end():
    left = known(*news(known(alert()), [condition(severity=C)], NOW, DAY).after(None))
    assert [one.severity for one in news(left, [condition(severity=C)], NOW, DAY).raised] == [C]
    assert [one.key for one in news(left, [], NOW, DAY).cleared] == ["asset:m"]


@given(st.lists(st.tuples(_SEEN, st.booleans()), max_size=12))
def test_whatever_happens_every_trouble_is_told_once_and_its_end_once(looks: list):
    """Told alarms and told all-clears alternate for every key, and at the end what is so is what was told."""
    state: dict[str, OpenAlert] = {}
    heard: dict[str, bool] = {}
    for number, (seen, is_taken) in enumerate(looks):
        conditions = [Condition(key, severity, "x") for key, severity in seen]
        found = news(state, conditions, NOW + number * timedelta(minutes=5), None)
        if is_taken:
            for one in found.raised:
                before = state.get(one.key)
                assert heard.get(one.key) is not True or (before and one.severity.rank > before.severity.rank)
                heard[one.key] = True
            for one in found.cleared:
                assert heard[one.key] is True
                heard[one.key] = False
        state = {one.key: one for one in found.after(NOW if is_taken else None)}
    final = news(state, [], NOW + DAY, None)
    for one in final.cleared:
        heard[one.key] = False
    assert not any(heard.values())

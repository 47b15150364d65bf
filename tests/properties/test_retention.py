"""Retention never empties an asset, forgets nothing that it was not told to, and changes its mind about no survivor."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dr_lib.model.asset import Retention
from dr_lib.policy.retention import PointFacts, decide

quick = settings(max_examples=200, deadline=None)
START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(0, 24 * 800)
REGIONS = st.frozensets(st.sampled_from("ab"))
counts = st.integers(0, 6)
ages = st.integers(0, 400).map(lambda days: timedelta(days=days))
policies = st.builds(
    Retention,
    hourly=counts,
    daily=counts,
    weekly=counts,
    monthly=counts,
    yearly=counts,
    last=counts,
    keep_within=ages,
    max_age=st.none() | ages,
    quarantined=ages,
)
moments = HOURS.map(lambda hours: START + timedelta(hours=hours))


@st.composite
def points(draw: st.DrawFn) -> list[PointFacts]:
    found = []
    for number, created in enumerate(draw(st.lists(moments, max_size=25))):
        held, verified = draw(REGIONS), draw(REGIONS)
        fact = PointFacts(
            point=f"{created:%Y%m%dT%H}-{number:02}",
            created_at=created,
            stored_at=draw(st.none() | moments),
            regions=held | verified,
            verified=verified,
            damaged=draw(st.booleans()) and not verified,
            holds=draw(st.sampled_from([(), (), ("legal",)])),
            quarantined_at=draw(st.sampled_from([None, None, None, created])),
            unknown=draw(st.sampled_from([(), (), (), ("region c",)])),
        )
        found.append(fact)
    return found


def kept(facts: list[PointFacts], policy: Retention, now: datetime) -> set[str]:
    return {v.point for v in decide(facts, policy, now) if not v.expires}


@quick
@given(points(), policies, moments)
def test_every_point_gets_one_verdict(facts, policy, now):
    assert sorted(v.point for v in decide(facts, policy, now)) == sorted(p.point for p in facts)


@quick
@given(points(), policies, moments)
def test_verified_points_never_all_go_anywhere(facts, policy, now):
    """Over all regions, and in each: whoever had a trusted verified point before has its newest one afterwards."""
    survivors = kept(facts, policy, now)
    trusted = [p for p in facts if p.quarantined_at is None and p.created_at <= now]
    for verified in ([p for p in trusted if p.verified], *([p for p in trusted if r in p.verified] for r in "ab")):
        if verified:
            newest = max(verified, key=lambda p: (p.created_at, p.point))
            assert newest.point in survivors
    if not any(p.verified for p in trusted):
        assert survivors == {p.point for p in facts}


@quick
@given(points(), policies, moments)
def test_held_unknown_and_future_points_stay(facts, policy, now):
    stay = {p.point for p in facts if p.holds or p.unknown or p.created_at > now}
    assert stay <= kept(facts, policy, now)


@quick
@given(points(), policies, moments)
def test_to_prune_twice_is_to_prune_once(facts, policy, now):
    survivors = kept(facts, policy, now)
    assert kept([p for p in facts if p.point in survivors], policy, now) == survivors


@quick
@given(points(), policies, moments, st.data())
def test_a_more_generous_policy_keeps_no_less(facts, policy, now, data):
    name = data.draw(st.sampled_from([f.name for f in fields(Retention)]))
    before = getattr(policy, name)
    if name == "max_age":
        assume(before is not None)
        more = data.draw(st.none() | ages.map(lambda age: before + age))
    else:
        more = before + data.draw(ages if isinstance(before, timedelta) else counts)
    assert kept(facts, policy, now) <= kept(facts, replace(policy, **{name: more}), now)


@quick
@given(points(), policies, moments, HOURS)
def test_a_clock_that_is_behind_keeps_no_less(facts, policy, now, hours):
    assert kept(facts, policy, now) <= kept(facts, policy, now - timedelta(hours=hours))


@quick
@given(points(), policies, moments, moments)
def test_a_point_from_the_future_lets_no_other_go(facts, policy, now, when):
    assume(when > now)
    ahead = PointFacts("99999999T99-zz", when, regions=frozenset("ab"), verified=frozenset("ab"))
    assert kept(facts, policy, now) | {ahead.point} == kept([*facts, ahead], policy, now)


@quick
@given(points(), policies, moments, st.data())
def test_a_hold_lets_no_other_go(facts, policy, now, data):
    assume(facts)
    number = data.draw(st.integers(0, len(facts) - 1))
    held = [replace(p, holds=("new",)) if i == number else p for i, p in enumerate(facts)]
    assert kept(held, policy, now) == kept(facts, policy, now) | {facts[number].point}

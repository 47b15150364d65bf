"""Which points of an asset may go: newest of each hour, day, week, month and year; ages; holds. Pure.

Every point stays for which one reason can be found. A point whose time lies ahead of `now` stays, fills no tier and is
no evidence that others are old; so an earlier `now` never lets a point go that a later one keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from dr_lib.model.asset import Retention

_TIERS: Final = (
    ("hourly", "%Y-%m-%d %Hh"),
    ("daily", "%Y-%m-%d"),
    ("weekly", "%G-W%V"),
    ("monthly", "%Y-%m"),
    ("yearly", "%Y"),
)
"""Periods are those of the calendar in UTC; weeks begin on Monday (ISO 8601)."""


@dataclass(frozen=True, slots=True)
class PointFacts:
    """What retention has to know of a committed point, over all regions of its asset.

    `stored_at` is the earliest moment, by a store's clock, at which a region had its manifest. `regions` hold it, in
    `verified` it is verified; `damaged` says that no copy is known to be sound. `holds` are the names of those in
    force. `unknown` says what could not be found out, which keeps the point.
    """

    point: str
    created_at: datetime
    stored_at: datetime | None = None
    regions: frozenset[str] = frozenset()
    verified: frozenset[str] = frozenset()
    damaged: bool = False
    holds: tuple[str, ...] = ()
    quarantined_at: datetime | None = None
    unknown: tuple[str, ...] = ()

    @property
    def seen_at(self) -> datetime:
        """The moment from which on it certainly existed: a backup host's slow clock makes no point old."""
        return self.created_at if self.stored_at is None else max(self.created_at, self.stored_at)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons`: why a point stays, for people. Without any it may go. `by_policy`: the policy itself keeps it."""

    point: str
    reasons: tuple[str, ...]
    by_policy: bool

    @property
    def expires(self) -> bool:
        """Whether nothing keeps it."""
        return not self.reasons


def decide(points: Sequence[PointFacts], policy: Retention, now: datetime) -> tuple[Verdict, ...]:
    """A verdict on each point, newest first. Ids are ordered by their time, as points are."""
    newest_first = sorted(points, key=lambda p: (p.created_at, p.point), reverse=True)
    past = [p for p in newest_first if p.created_at <= now]
    trusted = [p for p in past if p.quarantined_at is None]
    found: dict[str, list[str]] = {p.point: [] for p in newest_first}
    for point, reason in _by_policy(trusted, policy, now):
        found[point].append(reason)
    ruled = {point for point, reasons in found.items() if reasons}
    for point, reason in (*_guards(trusted, newest_first), *_by_facts(newest_first, policy, now)):
        found[point].append(reason)
    return tuple(Verdict(point, tuple(reasons), point in ruled) for point, reasons in found.items())


def keeps_nothing(verdicts: Sequence[Verdict]) -> bool:
    """Whether points may go and the policy itself keeps none: then it, or whoever should make points, has failed."""
    return any(v.expires for v in verdicts) and not any(v.by_policy for v in verdicts)


def _by_policy(trusted: Sequence[PointFacts], policy: Retention, now: datetime) -> Iterator[tuple[str, str]]:
    for point, reason in _by_count(trusted, policy):
        if policy.max_age is None or now - point.created_at <= policy.max_age:
            yield point.point, reason
    for point in trusted:
        if now - point.seen_at < policy.keep_within:
            yield point.point, f"younger than {_span(policy.keep_within)}"


def _by_count(trusted: Sequence[PointFacts], policy: Retention) -> Iterator[tuple[PointFacts, str]]:
    for number, point in enumerate(trusted[: policy.last], 1):
        yield point, f"last {number} of {policy.last}"
    for tier, period in _TIERS:
        for name, point in islice(_newest_of_each(trusted, period), getattr(policy, tier)):
            yield point, f"{tier} {name}"


def _newest_of_each(points: Sequence[PointFacts], period: str) -> Iterator[tuple[str, PointFacts]]:
    """Periods that have points, newest first, and what stands for each: a verified one before any other, a sound one
    before a damaged one, then the newest."""
    members: dict[str, list[PointFacts]] = {}
    for point in points:
        members.setdefault(point.created_at.astimezone(UTC).strftime(period), []).append(point)
    for name, found in members.items():
        yield name, min(found, key=lambda p: (not p.verified, p.damaged))


def _guards(trusted: Sequence[PointFacts], every: Sequence[PointFacts]) -> Iterator[tuple[str, str]]:
    """What stays whatever the policy says."""
    if not any(p.verified for p in trusted):
        for point in every:
            yield point.point, "no point is verified yet, so none goes"
        return
    newest, verified = trusted[0].point, next(p.point for p in trusted if p.verified)
    yield newest, "newest point"
    yield verified, "newest verified point"
    for region in sorted({region for p in trusted for region in p.regions}):
        here = next(p.point for p in trusted if region in p.regions)
        sound = next((p.point for p in trusted if region in p.verified), verified)
        yield from [(here, f"newest point in {region}")] if here != newest else []
        yield from [(sound, f"newest verified point in {region}")] if sound != verified else []


def _by_facts(points: Sequence[PointFacts], policy: Retention, now: datetime) -> Iterator[tuple[str, str]]:
    for point in points:
        if point.created_at > now:
            yield point.point, "its time lies ahead of this machine's clock"
        if point.quarantined_at is not None and now - max(point.quarantined_at, point.seen_at) < policy.quarantined:
            yield point.point, f"in quarantine for less than {_span(policy.quarantined)}: somebody has to look at it"
        yield from ((point.point, f"held: {name}") for name in point.holds)
        yield from ((point.point, f"not known: {what}") for what in point.unknown)


def _span(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    return f"{hours / 24:g} d" if hours >= 48 else f"{hours:g} h"

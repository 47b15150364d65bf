"""What is news: conditions as they are now, held against what people were told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dr_lib.model.alert import Condition, OpenAlert, Severity


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told: alerts that are new or got worse, that are still so, and that are over. `quiet` are those
    that are so and were told lately, `before` what people know of those that got worse."""

    raised: tuple[OpenAlert, ...] = ()
    still: tuple[OpenAlert, ...] = ()
    cleared: tuple[OpenAlert, ...] = ()
    quiet: tuple[OpenAlert, ...] = ()
    before: tuple[OpenAlert, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to tell."""
        return not (self.raised or self.still or self.cleared)

    def at_least(self, severity: Severity) -> News:
        """What somebody hears who wants nothing less severe."""

        def loud(alerts: Iterable[OpenAlert]) -> tuple[OpenAlert, ...]:
            return tuple(one for one in alerts if one.severity.rank >= severity.rank)

        return News(loud(self.raised), loud(self.still), loud(self.cleared))

    def after(self, told_at: datetime | None) -> tuple[OpenAlert, ...]:
        """What is open afterwards. With None nobody could be told: then people know what they knew, and what is over
        stays open, to be told yet."""
        if told_at is None:
            known = {one.key for one in self.before}
            new = tuple(one for one in self.raised if one.key not in known)
            return (*new, *self.before, *self.still, *self.quiet, *self.cleared)
        told = (replace(one, told_at=told_at) for one in (*self.raised, *self.still))
        return (*told, *self.quiet)


def news(
    known: Mapping[str, OpenAlert], conditions: Sequence[Condition], now: datetime, repeat: timedelta | None
) -> News:
    """Compare. `known` are the open alerts that this look could have seen, by key: of others it knows nothing.

    What nobody could be told of yet is new again. What got less severe is not told; what is over is.
    """
    raised: list[OpenAlert] = []
    still: list[OpenAlert] = []
    quiet: list[OpenAlert] = []
    worse: list[OpenAlert] = []
    for one in {one.key: one for one in conditions}.values():
        before = known.get(one.key)
        if before is None or before.told_at is None or one.severity.rank > before.severity.rank:
            since = now if before is None else before.since
            worse += [before] if before is not None and before.told_at is not None else []
            raised.append(OpenAlert(one.key, one.severity, one.text, since, None))
            continue
        # With the worst that was told, so that who heard of it hears that it is over.
        alert = replace(before, text=one.text)
        (still if repeat is not None and now - before.told_at >= repeat else quiet).append(alert)
    true = {one.key for one in conditions}
    # What is over before anybody heard of it is nobody's news.
    cleared = [one for key, one in known.items() if key not in true and one.told_at is not None]
    return News(tuple(raised), tuple(still), tuple(cleared), tuple(quiet), tuple(worse))

"""Looking at a site for as long as it takes to tell how it stands."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass

from dr_lib.clock import monotonic
from dr_lib.model.serving import Endpoint, HealthPolicy
from dr_lib.policy.health import Said, Thresholds, Verdict, verdict
from dr_lib.serving.asking import Asker


@dataclass(frozen=True, slots=True)
class Stand:
    """How a site stands, and why its last bad answer was bad."""

    verdict: Verdict
    why: str = ""


def stand_of(health: HealthPolicy, url: str, *, ended: threading.Event | None = None) -> Stand:
    """Ask `health.of` times, as far apart as the health check says; sooner where the answer cannot change any more."""
    rule, over = thresholds(health), ended or threading.Event()
    seen: list[Said] = []
    why = ""
    with Asker(health) as asker:
        while len(seen) < rule.of and not over.is_set():
            if seen:
                over.wait(health.interval.total_seconds())
            heard = asker.ask(url)
            seen.append(heard.said)
            why = heard.why or why
    return Stand(verdict(seen, rule), why)


def wait_for_answers(endpoint: Endpoint, url: str, seconds: float, accepted: Collection[Said] = (Said.RIGHT,)) -> Stand:
    """Ask until `rise` answers of the accepted kinds came in a row, for at most so long.

    Healthy when they did, else how the site stands at the end, and why.
    """
    health, late = endpoint.health, monotonic() + seconds
    pause, row, why = threading.Event(), 0, ""
    with Asker(health) as asker:
        while True:
            heard = asker.ask(url)
            row = row + 1 if heard.said in accepted else 0
            why = heard.why or why
            if row >= health.rise:
                return Stand(Verdict.HEALTHY)
            if monotonic() > late:
                return Stand(Verdict.WRONG if heard.said is Said.WRONG else Verdict.DOWN, why)
            pause.wait(min(health.interval.total_seconds(), seconds))


def thresholds(health: HealthPolicy) -> Thresholds:
    """The rule of the health check."""
    return Thresholds(health.of, health.fall, health.rise)

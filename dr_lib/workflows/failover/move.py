"""One move of an endpoint's traffic: restore, smoke test, load, prove, switch, prove again.

What fails before the switch is touched leaves traffic where it was. Killed at any moment, the same move can be run
again: each step is idempotent, and what was restored whole is not restored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dr_lib.clock import monotonic
from dr_lib.errors import ObjectiveMissed
from dr_lib.model.serving import Endpoint
from dr_lib.policy.health import Said, Verdict
from dr_lib.serving import placing
from dr_lib.serving.switch import Switch
from dr_lib.serving.watching import stand_of, wait_for_answers
from dr_lib.telemetry import span
from dr_lib.workflows.failover.holding import HeldLease

Facts = dict[str, Any]
_NO_FILES = "the {site} has no `directory:`, so nothing was restored there: it is proven by its answers alone"
_NO_SMOKE = "the asset has no smoke test: what was restored was not tried before the server loaded it"


@dataclass(frozen=True, slots=True)
class Tools:
    """What a move needs of the world.

    `restore` puts a point into a directory; `smoke` tries what lies there, and is None where the asset has no smoke
    test. `answers_may_differ` lets a site serve that answers, and not as the file of questions says; callers follow the
    switch within `settles_s`.
    """

    switch: Switch
    restore: Callable[[str, Path], Facts]
    smoke: Callable[[str, Path], Facts] | None
    settles_s: float = 0.0
    answers_may_differ: bool = False

    @property
    def accepted(self) -> tuple[Said, ...]:
        """What a site may answer to serve."""
        return (Said.RIGHT, Said.WRONG) if self.answers_may_differ else (Said.RIGHT,)


@dataclass(slots=True)
class Course:
    """What a move did so far: seconds of each step, and what is to be told. `outcome` is `moved`, `moved back` or
    empty."""

    phases: dict[str, float] = field(default_factory=dict)
    restored: Facts | None = None
    smoke: Facts | None = None
    warnings: list[str] = field(default_factory=list)
    outcome: str = ""


def move(endpoint: Endpoint, held: HeldLease, tools: Tools, course: Course) -> None:
    """Move the endpoint's traffic to the lease's site; `course` tells what happened, also after an error.

    `ObjectiveMissed` (3) where the new site does not prove itself, `Refused` (7) where the lease was lost, what the
    restore or the switch raise.
    """
    if tools.switch.traffic().sites != {held.lease.to}:  # else a try before came that far, and callers are served
        _over(endpoint, held, tools, course)
    with _phase(held, course, "confirm"):
        _confirm(endpoint, held, tools, course)
    course.outcome = "moved"
    directory = endpoint.sites[held.lease.to].directory
    if directory is not None:
        placing.remove_others(directory, {placing.now_loaded(directory) or ""})


def _over(endpoint: Endpoint, held: HeldLease, tools: Tools, course: Course) -> None:
    to = held.lease.to
    _fill(endpoint, held, tools, course)
    with _phase(held, course, "prove"):
        _prove(endpoint, endpoint.sites[to].url, f"the {to}", tools)
    with _phase(held, course, "switch"):
        held.check()
        tools.switch.move(to)


def _fill(endpoint: Endpoint, held: HeldLease, tools: Tools, course: Course) -> None:
    """Restore, smoke test and load, where the site has a directory of ours."""
    site, lease = endpoint.sites[held.lease.to], held.lease
    if site.directory is None:
        course.warnings.append(_NO_FILES.format(site=lease.to))
        return
    folder = placing.folder_of(site.directory, lease.point, lease.operation)
    with _phase(held, course, "restore"):
        if not folder.exists():  # a restore puts it there whole, or not at all
            site.directory.mkdir(parents=True, exist_ok=True)
            # What moves that failed left must not fill the disk.
            placing.remove_others(site.directory, {placing.now_loaded(site.directory) or ""})
            course.restored = tools.restore(lease.point, folder)
    with _phase(held, course, "smoke"):
        _smoke(lease.point, folder, tools, course)
    with _phase(held, course, "load"):
        placing.put_in_place(folder)
        placing.load(site, endpoint.patience.total_seconds())


def _smoke(point: str, folder: Path, tools: Tools, course: Course) -> None:
    if tools.smoke is None:
        course.warnings.append(_NO_SMOKE)
        return
    course.smoke = tools.smoke(point, folder)
    if not course.smoke["passed"]:
        cause = course.smoke.get("cause") or "see its checks"
        hint = "traffic stays where it was; try an earlier point with --point, or `drctl smoke` for more"
        raise ObjectiveMissed(f"the smoke test of what was restored failed: {cause}", where=str(folder), hint=hint)


def _prove(endpoint: Endpoint, url: str, who: str, tools: Tools) -> None:
    stand = wait_for_answers(endpoint, url, endpoint.patience.total_seconds(), tools.accepted)
    if stand.verdict is not Verdict.HEALTHY:
        hint = "traffic stays where it was; the server's own log tells more"
        if stand.verdict is Verdict.WRONG:
            hint = "traffic stays where it was; if the questions are older than the model: --answers-may-differ"
        raise ObjectiveMissed(f"{who} does not answer rightly: {stand.why}", where=url, hint=hint)


def _confirm(endpoint: Endpoint, held: HeldLease, tools: Tools, course: Course) -> None:
    """Right answers through the callers' address; else back to the site that answers rightly, if it does."""
    to = held.lease.to
    window = endpoint.health.of * (endpoint.health.interval + endpoint.health.timeout).total_seconds()
    window += tools.settles_s
    stand = wait_for_answers(endpoint, endpoint.url, window, tools.accepted)
    if stand.verdict is Verdict.HEALTHY:
        return
    what = f"after the switch to the {to} callers get no right answer: {stand.why}"
    if stand_of(endpoint.health, endpoint.sites[to.other].url).verdict is Verdict.HEALTHY:
        held.check()
        tools.switch.move(to.other)
        course.outcome = "moved back"
        hint = f"traffic is at the {to.other} again, which answers rightly"
        raise ObjectiveMissed(what, where=endpoint.url, hint=hint)
    hint = f"the {to.other} does not answer rightly either, so traffic stays; look at both servers, then run it again"
    raise ObjectiveMissed(what, where=endpoint.url, hint=hint)


@contextmanager
def _phase(held: HeldLease, course: Course, name: str) -> Iterator[None]:
    """A step of the move: noted in the lease before it begins, its seconds in the course when it ends."""
    held.step(name)
    begun = monotonic()
    try:
        with span(f"move.{name}", endpoint=held.lease.endpoint, to=held.lease.to.value):
            yield
    finally:
        course.phases[name] = round(monotonic() - begun, 3)

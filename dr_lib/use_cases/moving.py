"""Moving an endpoint's traffic: what it would take, and doing it under the endpoint's lease."""

from __future__ import annotations

import fcntl
import os
import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dr_lib.catalog.answers import kept_in, open_ones
from dr_lib.clock import monotonic
from dr_lib.errors import DrError, Refused
from dr_lib.format.canonical import time_text
from dr_lib.model.alert import Severity
from dr_lib.model.region import Role
from dr_lib.model.serving import Endpoint, Route53Switch, Site, Wish
from dr_lib.policy.choice import LATEST_VERIFIED
from dr_lib.policy.leases import resumes
from dr_lib.policy.traffic import Look, objection
from dr_lib.progress import SILENT, Progress
from dr_lib.telemetry import workflow
from dr_lib.use_cases.authorising import Authorising
from dr_lib.use_cases.over_config import Document
from dr_lib.use_cases.recovering import Recovering
from dr_lib.use_cases.serving import Serving, look_of, site_of
from dr_lib.vault.events import add_event
from dr_lib.wiring import state_directory

if TYPE_CHECKING:
    from dr_lib.serving.meter import OutageMeter
    from dr_lib.workflows.failover.holding import HeldLease
    from dr_lib.workflows.failover.move import Course, Tools

VERBS: Final = {Site.STANDBY: "failover", Site.PRIMARY: "failback"}
"""What a move to each site is called; the kinds of its events, too."""
_PLANNED: Final = "say --planned if that is meant"


class Moving(Serving, Authorising, Recovering):
    """Failing over and back."""

    def plan_move(self, endpoint: str, to: str, point: str = LATEST_VERIFIED, *, is_planned: bool = False) -> Document:
        """What moving the endpoint's traffic to `to` would do; nothing is changed.

        `{"endpoint", "asset", "to", "verb", "traffic", "sites", "lease", "objection", "point", "region", "bytes",
        "files", "directory"}`. `objection` says why it would be refused now, None when it would not.
        """
        facts, site = self.config.endpoint(endpoint), site_of(to)
        status = self._status(facts)
        look = look_of(status["traffic"], {one: status["sites"][one.value]["verdict"] for one in Site})
        plan = self.plan_restore(facts.asset, point)
        named = {name: status[name] for name in ("endpoint", "asset", "traffic", "sites", "lease")}
        chosen = {name: plan[name] for name in ("point", "created_at", "region", "bytes", "files")}
        why = _already(look, site) or objection(look, site, is_planned=is_planned)
        place = facts.sites[site].directory
        told = {"to": site.value, "verb": VERBS[site], "objection": why, "directory": str(place) if place else None}
        return named | chosen | told

    @workflow("move-endpoint")
    def move_endpoint(self, wish: Wish, progress: Progress = SILENT) -> Document:
        """Move an endpoint's traffic: restore the point, prove it, switch, prove that callers get right answers.

        `{"endpoint", "asset", "verb", "from", "to", "moved", "point", "region", "phases", "seconds", "outage", "smoke",
        "warnings", "events"}`; `moved` is False where nothing was to do. `Refused` (7) while the site that serves is
        healthy and it is not planned, or while somebody else holds the lease; `ObjectiveMissed` (3) where the new site
        does not prove itself; traffic stays then, or goes back. Killed, the same call goes on.
        """
        facts, to = self.config.endpoint(wish.endpoint), wish.to
        with self._holding(wish) as holder:
            return self._moved(facts, to, wish, holder, progress)

    def _moved(self, facts: Endpoint, to: Site, wish: Wish, holder: str, progress: Progress) -> Document:
        from dr_lib.serving.meter import OutageMeter
        from dr_lib.workflows.failover.holding import Claim, newest_of, take_lease
        from dr_lib.workflows.failover.move import Course

        begun = monotonic()
        vaults = self._lease_vaults(facts)
        known = newest_of(vaults, facts.name, facts.lease)[1]
        if not resumes(known, holder, to, self._wiring.clock()):
            status = self._status(facts)
            look = look_of(status["traffic"], {one: status["sites"][one.value]["verdict"] for one in Site})
            if _already(look, to):
                return _nothing_to_do(facts, to, wish)
            why = objection(look, to, is_planned=wish.is_planned)
            if why is not None:
                raise Refused(f"{facts.name} stays where it is: {why}", where=facts.url, hint=_PLANNED)
        point = self.plan_restore(facts.asset, wish.point)["point"]
        claim = Claim(facts.name, holder, to, point, wish.reason)
        course = Course()
        with take_lease(vaults, facts.lease, claim, self._wiring.clock) as held, OutageMeter(facts) as meter:
            tools = self._tools(facts, wish, progress)
            self._announce(f"{facts.name} is being moved to the {to}: {wish.reason}", course)
            self._proceed(facts, held, tools, course, meter, wish)
            meter.hear_once_more()
            held.end("moved")
            document = _document(facts, held, course, meter, wish, self._wiring.clock())
        events = self._note(facts, held, document, "moved")
        self._announce(f"{facts.name} is served by the {to}", course)
        return document | {"seconds": round(monotonic() - begun, 3), "events": events, "warnings": course.warnings}

    def _proceed(
        self, facts: Endpoint, held: HeldLease, tools: Tools, course: Course, meter: OutageMeter, wish: Wish
    ) -> None:
        """The move itself. What it fails with is kept in the vaults and told, then raised."""
        from dr_lib.workflows.failover.move import move

        try:
            move(facts, held, tools, course)
        except DrError as error:
            said = f"{course.outcome or 'failed'}: {error}"
            held.end(said)
            self._note(facts, held, _document(facts, held, course, meter, wish, self._wiring.clock()), said)
            self._announce(f"{facts.name} was not moved to the {held.lease.to}: {error}", course)
            raise

    def _tools(self, facts: Endpoint, wish: Wish, progress: Progress) -> Tools:
        from dr_lib.workflows.failover.move import Tools

        asset = self.config.asset(facts.asset)

        def restored(point: str, folder: Path) -> dict[str, Any]:
            try:
                return self.restore(facts.asset, str(folder), point, progress=progress)
            finally:
                progress.finish()

        def tried(point: str, folder: Path) -> dict[str, Any]:
            return self.smoke(facts.asset, str(folder), point)

        smoke = None if asset.smoke is None else tried
        settles_s = float(facts.switch.ttl) if isinstance(facts.switch, Route53Switch) else 0.0
        switch = self._switch(facts)
        return Tools(switch, restored, smoke, settles_s=settles_s, answers_may_differ=wish.answers_may_differ)

    def _note(self, facts: Endpoint, held: HeldLease, document: Document, outcome: str) -> dict[str, str]:
        """Leave what happened in every region that answers; the move is not undone for one that does not."""
        lease, asset = held.lease, self.config.asset(facts.asset)
        said = {name: document[name] for name in ("from", "to", "phases", "outage", "warnings", "reason", "by")}
        said |= {"endpoint": facts.name, "operation": lease.operation, "holder": lease.holder, "outcome": outcome}
        answers, now = self._wiring.answers(asset.regions, Role.VERIFIER), self._wiring.clock()
        kept: dict[str, str] = {}
        failed: list[DrError] = []
        for vault in open_ones(answers, asset.regions):
            with kept_in(failed):
                kept[vault.region] = add_event(vault, VERBS[lease.to], asset.name, lease.point, now, said)
        return kept

    def _announce(self, text: str, course: Course) -> None:
        """Tell everybody. That nobody can be told must not stop a failover."""
        try:
            self.tell(Severity.CRITICAL, text)
        except DrError as error:
            course.warnings.append(f"nobody could be told: {error.what}")

    @contextmanager
    def _holding(self, wish: Wish) -> Iterator[str]:
        """Who holds the lease: the wish's own holder, else this machine, for one command at a time.

        A machine has a name that outlives a killed command, so that the next one goes on at once.
        """
        if wish.holder is not None:
            yield wish.holder
            return
        folder = state_directory(self._wiring.environ, self.config.path) / "serving"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / f"{wish.endpoint}.holder", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                what = f"another command on this machine moves {wish.endpoint}"
                raise Refused(what, where=str(folder), hint="wait for it; `drctl serving status` shows it") from error
            yield _name_in(file)


def _name_in(file: Any) -> str:
    name = file.read().strip()
    if not name:
        name = f"{platform.node()}/{uuid.uuid4().hex[:8]}"
        file.write(name)
        file.flush()
    return str(name)


def _already(look: Look, to: Site) -> str | None:
    return f"the {to} serves already" if look.traffic.sites == {to} else None


def _nothing_to_do(facts: Endpoint, to: Site, wish: Wish) -> Document:
    named = {"endpoint": facts.name, "asset": facts.asset, "verb": VERBS[to], "from": to.value, "to": to.value}
    empty: dict[str, Any] = {"point": None, "region": None, "phases": {}, "seconds": 0.0, "outage": None}
    told: dict[str, Any] = {"smoke": None, "warnings": [], "events": {}, "reason": wish.reason, "by": wish.by}
    return named | {"moved": False} | empty | told


def _document(
    facts: Endpoint, held: HeldLease, course: Course, meter: OutageMeter, wish: Wish, now: datetime
) -> Document:
    restored = course.restored or {}
    lease = held.lease
    return {
        "endpoint": facts.name,
        "asset": facts.asset,
        "verb": VERBS[lease.to],
        "from": lease.to.other.value,
        "to": lease.to.value,
        "moved": course.outcome == "moved",
        "point": lease.point,
        "region": restored.get("region"),
        "phases": course.phases,
        "outage": _outage(meter, now),
        "smoke": course.smoke,
        "warnings": course.warnings + restored.get("warnings", []) + restored.get("repairs", []),
        "reason": wish.reason,
        "by": wish.by,
    }


def _outage(meter: OutageMeter, now: datetime) -> Document:
    """What was measured, with its moments by this machine's clock."""
    found, ticks = meter.measured(), monotonic()
    moments = {
        name: None if at is None else time_text(now - timedelta(seconds=ticks - at))
        for name, at in (("from", found.begin), ("to", found.end))
    }
    counted = {"asked": found.asked, "answered": found.answered}
    return counted | {"seconds": found.seconds, "is_over": found.is_over} | moments

"""Endpoints: who serves them, how their sites stand, and what that calls for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dr_lib.catalog.answers import kept_in, open_ones
from dr_lib.errors import AlreadyExists, DrError, NotFound
from dr_lib.format.canonical import time_text
from dr_lib.model.alert import Condition, Severity
from dr_lib.model.region import Role
from dr_lib.model.serving import Endpoint, Lease, SeenEndpoint, Site, Traffic
from dr_lib.model.state import State
from dr_lib.policy.checking import judged_endpoint
from dr_lib.policy.health import Verdict
from dr_lib.policy.traffic import Look, due
from dr_lib.telemetry import workflow
from dr_lib.use_cases.alarming import Alarming
from dr_lib.use_cases.over_config import Document

if TYPE_CHECKING:
    from dr_lib.serving.switch import Switch
    from dr_lib.serving.watching import Stand
    from dr_lib.vault.vault import Vault

ENDPOINT = "serving:"
UNREAD = "unknown"
"""What stands for the traffic of a switch that did not answer."""


class Serving(Alarming):
    """Looking at endpoints. Nothing is moved here."""

    def serving_status(self, endpoint: str | None = None) -> Document:
        """How endpoints stand now, asked of their switches, servers and vaults; nothing is remembered.

        `{"endpoints": [{"endpoint", "asset", "url", "traffic", "detail", "sites": {site: {"verdict", "why"}}, "lease",
        "problem"}], "ok"}`. A switch or a vault that does not answer is a problem in the document.
        """
        named = [self.config.endpoint(endpoint)] if endpoint else list(self.config.serving.values())
        with ThreadPoolExecutor(max(1, len(named))) as pool:
            found = list(pool.map(self._status, named))
        return {"endpoints": found, "ok": not any(one["problem"] for one in found)}

    @workflow("watch-endpoint")
    def watch_endpoint(self, endpoint: str) -> Document:
        """Look at an endpoint, keep what was seen in the catalog, and tell people what is new about it.

        As one of `serving_status`, with `due` (`nothing`, `ask` or `act`) and `failing_since`. Raises what the catalog
        and the recipients of alerts raise, after the look was kept.
        """
        from dr_lib.catalog.db.endpoints import forget_endpoints, put_endpoint

        facts = self.config.endpoint(endpoint)
        told = self._status(facts)
        look = _look_of(told)
        with self._catalog().writing() as connection:
            seen = put_endpoint(connection, self._seen(facts, told))
            forget_endpoints(connection, self.config.serving)
        self.alarm(_conditions(facts, told, look), lambda key: key == ENDPOINT + endpoint)
        since = None if seen.failing_since is None else time_text(seen.failing_since)
        return told | {"due": due(look, is_automatic=facts.is_automatic).value, "failing_since": since}

    def serving_views(self) -> list[Document]:
        """Endpoints as they were last seen, from the catalog; `stale` for one that nobody looked at for long."""
        from dr_lib.catalog.db.endpoints import seen_endpoints

        with self._catalog().reading() as connection:
            found = seen_endpoints(connection)
        now, limit = self._wiring.clock(), self.config.catalog.stale_after
        return [
            asdict(one)
            | {"observed_at": time_text(one.observed_at), "stale": now - one.observed_at > limit}
            | {"failing_since": None if one.failing_since is None else time_text(one.failing_since)}
            for one in found
        ]

    def record_answers(self, endpoint: str, site: str, questions: Path, out: Path) -> Document:
        """Ask a site the questions of a file (JSON lines of `path` and `request`) and write them with its answers.

        `AlreadyExists` (7) where `out` is there, `NotFound` (5) where the site gives no answer. `{"endpoint", "site",
        "questions", "file"}`.
        """
        from dr_lib.serving.asking import answers_of, read_questions

        facts = self.config.endpoint(endpoint)
        if out.exists():
            raise AlreadyExists("the file is there already", where=str(out), hint="remove it, or name another one")
        url = facts.sites[site_of(site)].url
        answered = answers_of(facts.health, url, read_questions(questions))
        out.write_text("".join(json.dumps(asdict(one), separators=(",", ":")) + "\n" for one in answered), "utf-8")
        return {"endpoint": endpoint, "site": site, "questions": len(answered), "file": str(out)}

    def _status(self, facts: Endpoint) -> Document:
        failed: list[DrError] = []
        traffic, lease = Traffic(frozenset(), ""), None
        is_read = False
        with ThreadPoolExecutor(len(Site)) as pool:
            looked = {site: pool.submit(_stand, facts, site) for site in Site}
            with kept_in(failed):
                traffic = self._switch(facts).traffic()
                is_read = True
            with kept_in(failed):
                lease = self._lease(facts)
            stands = {site: one.result() for site, one in looked.items()}
        told = {
            "endpoint": facts.name,
            "asset": facts.asset,
            "url": facts.url,
            "traffic": traffic.word if is_read else UNREAD,
            "detail": traffic.detail,
            "sites": {site.value: {"verdict": one.verdict.value, "why": one.why} for site, one in stands.items()},
            "lease": None if lease is None else _lease_document(lease),
        }
        problems = [str(error) for error in failed] + (_problems(traffic, stands) if is_read else [])
        return told | {"problem": "; ".join(problems)}

    def _lease(self, facts: Endpoint) -> Lease | None:
        from dr_lib.workflows.failover.holding import newest_of

        return newest_of(self._lease_vaults(facts, Role.READER), facts.name, facts.lease)[1]

    def _lease_vaults(self, facts: Endpoint, role: Role = Role.VERIFIER) -> list[Vault]:
        """The vaults of the lease that answer, in their order."""
        return open_ones(self._wiring.answers(facts.lease.regions, role), facts.lease.regions)

    def _switch(self, facts: Endpoint) -> Switch:
        from dr_lib.serving.switches.opening import open_switch

        return open_switch(facts.switch, environ=self._wiring.environ, connections=self._wiring.connections)

    def _seen(self, facts: Endpoint, told: Document) -> SeenEndpoint:
        lease = told["lease"]
        holder = lease["holder"] if lease and not lease["done"] else ""
        sites, now = told["sites"], self._wiring.clock()
        return SeenEndpoint(
            facts.name,
            facts.asset,
            told["traffic"],
            sites[Site.PRIMARY.value]["verdict"],
            sites[Site.STANDBY.value]["verdict"],
            told["problem"],
            holder,
            now,
        )


def _stand(facts: Endpoint, site: Site) -> Stand:
    from dr_lib.serving.watching import Stand, stand_of

    try:
        return stand_of(facts.health, facts.sites[site].url)
    except DrError as error:  # the questions cannot be read: nobody knows
        return Stand(Verdict.UNKNOWN, str(error))


def _problems(traffic: Traffic, stands: dict[Site, Stand]) -> list[str]:
    """What is wrong for callers: nobody or two serve, or who serves does not do it well."""
    if len(traffic.sites) != 1:
        more = f" ({traffic.detail})" if traffic.detail else ""
        return [f"the switch sends requests to {traffic.word}{more}"]
    site = next(iter(traffic.sites))
    stand = stands[site]
    if stand.verdict is Verdict.HEALTHY:
        return []
    return [f"the {site} serves and is {stand.verdict}" + (f": {stand.why}" if stand.why else "")]


def _look_of(told: Document) -> Look:
    """The facts of a status that decisions are made of."""
    return look_of(told["traffic"], {site: told["sites"][site.value]["verdict"] for site in Site})


def look_of(traffic: str, verdicts: dict[Site, str]) -> Look:
    """A look by its words; a switch that was not read sends requests nowhere that is known."""
    known: dict[str, Sequence[Site]] = {"both": tuple(Site), "nobody": (), UNREAD: ()}
    sites = frozenset(known[traffic] if traffic in known else (Site(traffic),))
    return Look(Traffic(sites), {site: Verdict(word) for site, word in verdicts.items()})


def _conditions(facts: Endpoint, told: Document, look: Look) -> list[Condition]:
    """What a check calls a warning is one in an alert; what nobody knows is told as the worst."""
    if not told["problem"]:
        return []
    found = judged_endpoint(look, told["problem"], is_read=told["traffic"] != UNREAD)
    severity = Severity.WARNING if found.state is State.WARNING else Severity.CRITICAL
    return [Condition(ENDPOINT + facts.name, severity, f"{facts.name}: {told['problem']}")]


def _lease_document(lease: Lease) -> dict[str, Any]:
    said = asdict(lease)
    return said | {"to": lease.to.value, "at": time_text(lease.at), "until": time_text(lease.until)}


def site_of(word: str) -> Site:
    """The site of that name; `NotFound` (5) for another word."""
    if word not in list(Site):
        raise NotFound(f"there is no site {word!r}", hint="primary or standby")
    return Site(word)

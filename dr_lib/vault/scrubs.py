"""Scrubs as events of a vault: one a run, each of which holds all that the next one has to know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import canonical, entries, layout
from dr_lib.format.layout import EventName
from dr_lib.model.scrub import Coverage, Scrub, Span
from dr_lib.vault.events import Facts, add_event, read_event
from dr_lib.vault.vault import Vault

SCRUB: Final = "scrub"


def record_scrub(vault: Vault, scrub: Scrub) -> str:
    """Leave the run's word in the vault; the event's key. The same run twice is one event."""
    facts: Facts = {
        "mode": scrub.mode,
        "milliseconds": round(scrub.seconds * 1000),
        "points": scrub.points,
        "bytes_read": scrub.bytes_read,
        "findings": list(scrub.findings),
        "damaged": list(scrub.damaged),
        "given_up": list(scrub.given_up),
        "unnamed": list(scrub.unnamed),
        "cursor": scrub.cursor,
        "coverage": [[span.upto, span.at and canonical.time_text(span.at)] for span in scrub.coverage],
        "baseline": scrub.baseline,
        "covered": _covered_json(scrub.covered),
    }
    if scrub.inventory is not None:
        facts["inventory"] = scrub.inventory
    return add_event(vault, SCRUB, scrub.asset, scrub.run, scrub.at, facts)


def last_scrub(vault: Vault, names: Iterable[EventName], now: datetime | None = None) -> Scrub | None:
    """The newest run of an asset whose word can be read, out of its events (as `Vault.events` gives them): one get.

    One that lies in the future of `now` is passed over: no reading follows from it. None when there is none.
    """
    for name in sorted((n for n in names if n.kind == SCRUB), key=lambda n: n.at, reverse=True):
        if now is not None and name.at > now:
            continue
        try:
            return _parsed(vault, name)
        except (IntegrityError, NotFound):
            continue
    return None


def known_damaged(vault: Vault) -> frozenset[str]:
    """Keys that the newest readable run of every asset calls damaged: one listing of the events, and a get an asset."""
    newest: dict[str, list[EventName]] = {}
    for info in vault.store.list(layout.EVENTS):
        name = layout.parse_event_key(info.key)
        if name is not None and name.kind == SCRUB:
            newest.setdefault(name.asset, []).append(name)
    found = (last_scrub(vault, names) for names in newest.values())
    return frozenset(key for scrub in found if scrub is not None for key in scrub.damaged)


def _parsed(vault: Vault, name: EventName) -> Scrub:
    facts = read_event(vault, name)
    try:
        return Scrub(
            region=vault.region,
            asset=name.asset,
            run=name.point,
            mode=entries.text(facts["mode"]),
            at=name.at,
            seconds=entries.natural(facts["milliseconds"]) / 1000,
            points=entries.natural(facts["points"]),
            bytes_read=entries.natural(facts["bytes_read"]),
            findings=_texts(facts["findings"]),
            damaged=_texts(facts["damaged"]),
            given_up=_texts(facts["given_up"]),
            unnamed=_texts(facts["unnamed"]),
            cursor=entries.text(facts["cursor"]),
            coverage=tuple(_span(*row) for row in facts["coverage"]),
            covered=_covered(facts["covered"]),
            baseline=name.key if "inventory" in facts else entries.text(facts["baseline"]),
        )
    except entries.ODD as error:
        raise IntegrityError(f"an event does not parse: {error!r}", where=vault.where(name.key)) from error


def _covered_json(covered: Coverage | None) -> list[int] | None:
    """Bytes and whole seconds."""
    if covered is None:
        return None
    return [covered.total_bytes, covered.read_bytes, round(covered.oldest_s), round(covered.within_s)]


def _covered(row: list[object] | None) -> Coverage | None:
    if row is None:
        return None
    total, read, oldest, within = (entries.natural(number) for number in row)
    return Coverage(total, read, oldest, within)


def _span(upto: object, at: object) -> Span:
    return Span(entries.text(upto), None if at is None else canonical.parse_time(entries.text(at)))


def _texts(found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise TypeError("no list")
    return tuple(entries.text(item) for item in found)

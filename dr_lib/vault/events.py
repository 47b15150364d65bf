"""Events: immutable words about a point, left in the vault where no catalog can lose them. Signed where signers are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import canonical, entries, layout
from dr_lib.vault.records import EVENT, add_record, decode_record, encode_record
from dr_lib.vault.vault import Vault

Facts = dict[str, Any]


def add_event(vault: Vault, kind: str, asset: str, point: str, at: datetime, facts: Facts) -> str:
    """Leave an event of that kind (lower case letters) about a point; its key. The same event twice is one."""
    about = {"kind": kind, "asset": asset, "point": point, "region": vault.region, "at": canonical.time_text(at)}
    data = encode_record(vault, facts | about, EVENT)
    key = layout.event_key(asset, at, kind, point, data)
    add_record(vault, key, data)
    return key


def read_event(vault: Vault, name: layout.EventName) -> Facts:
    """The facts of an event; `IntegrityError` unless its bytes are those that its name promises, and are about it."""
    return parse_event(vault, name, vault.store.get(name.key))


def parse_event(vault: Vault, name: layout.EventName, data: bytes) -> Facts:
    """The facts of an event whose bytes are `data`; errors as `read_event`."""
    where = vault.where(name.key)
    if layout.event_check(data) != name.check:
        raise IntegrityError("an event's bytes are not those its name promises", where=where)
    facts = decode_record(vault, name.key, data, EVENT)
    try:
        said = (*(entries.text(facts[field]) for field in ("kind", "asset", "point", "region")), _moment(facts["at"]))
    except entries.ODD as error:
        raise IntegrityError(f"an event does not parse: {error!r}", where=where) from error
    if said != (name.kind, name.asset, name.point, vault.region, name.at):
        raise IntegrityError("an event is about something else than its name says", where=where)
    return facts


def readable_events(vault: Vault, asset: str, *kinds: str) -> Iterator[tuple[layout.EventName, Facts | None]]:
    """The asset's events of those kinds in order of time; None for the facts of one that is damaged or gone."""
    for name in vault.events(asset):
        if name.kind in kinds:
            try:
                yield name, read_event(vault, name)
            except (IntegrityError, NotFound):
                yield name, None


def _moment(text: object) -> datetime:
    return canonical.parse_time(entries.text(text))

"""Holds and quarantines of points, as events of a vault. What is unreadable holds, and distrusts, all the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from dr_lib.format import entries
from dr_lib.model.hold import Hold, Quarantine
from dr_lib.vault.events import Facts, add_event, readable_events
from dr_lib.vault.vault import Vault

HOLD: Final = "hold"
RELEASE: Final = "release"
QUARANTINE: Final = "quarantine"
CLEARANCE: Final = "clearance"


def add_hold(vault: Vault, hold: Hold) -> str:
    """Hold a point; the event's key. The same hold twice is one."""
    facts = {"name": hold.name, "reason": hold.reason}
    return add_event(vault, HOLD, hold.asset, hold.point, hold.at, facts)


def release_hold(vault: Vault, asset: str, point: str, name: str, reason: str, at: datetime) -> str:
    """Take back the holds of that name which a point has by then; the event's key."""
    return add_event(vault, RELEASE, asset, point, at, {"name": name, "reason": reason})


def holds(vault: Vault, asset: str) -> tuple[Hold, ...]:
    """The holds in force on an asset's points, in order of time: one listing, and a get for each event of them.

    A release counts when it can be read, and for the holds before it.
    """
    found: list[Hold] = []
    for name, facts in readable_events(vault, asset, HOLD, RELEASE):
        if name.kind == HOLD:
            found.append(Hold(asset, name.point, _text(facts, "name"), _text(facts, "reason"), name.at))
        elif (released := _text(facts, "name")) is not None:
            found = [held for held in found if (held.point, held.name) != (name.point, released)]
    return tuple(found)


def add_quarantine(vault: Vault, quarantine: Quarantine) -> str:
    """Distrust a point; the event's key."""
    facts = {"findings": list(quarantine.findings or ())}
    return add_event(vault, QUARANTINE, quarantine.asset, quarantine.point, quarantine.at, facts)


def clear_quarantine(vault: Vault, asset: str, point: str, reason: str, at: datetime) -> str:
    """Trust a point again that somebody has looked at; the event's key."""
    return add_event(vault, CLEARANCE, asset, point, at, {"reason": reason})


def quarantines(vault: Vault, asset: str) -> dict[str, Quarantine]:
    """The quarantines in force, by point: one listing, and a get for each event of them."""
    found: dict[str, Quarantine] = {}
    for name, facts in readable_events(vault, asset, QUARANTINE, CLEARANCE):
        if name.kind == QUARANTINE:
            found[name.point] = Quarantine(asset, name.point, _findings(facts), name.at)
        elif facts is not None:
            found.pop(name.point, None)
    return found


def _text(facts: Facts | None, field: str) -> str | None:
    try:
        return entries.text(facts[field]) if facts is not None else None
    except entries.ODD:
        return None


def _findings(facts: Facts | None) -> tuple[str, ...] | None:
    found: Sequence[object] | None = facts.get("findings") if facts is not None else None
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return None
    return tuple(found)

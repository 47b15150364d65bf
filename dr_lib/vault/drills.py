"""The last drill of each scenario, from the evidence in one vault."""

from __future__ import annotations

from typing import Final

from dr_lib.errors import DrError, IntegrityError, NotFound
from dr_lib.format import layout
from dr_lib.vault.evidence import PastDrill, parse_evidence
from dr_lib.vault.vault import Vault

MOST_READ: Final = 60


def last_by_scenario(vault: Vault, asset: str, limit: int = MOST_READ) -> tuple[dict[str, PastDrill], list[DrError]]:
    """The newest drill of each scenario among the `limit` newest of the asset, and what could not be read.

    One listing, and at most `limit` small gets. Raises what the listing raises.
    """
    listed = (info.key for info in vault.store.list(f"{layout.EVIDENCE}{asset}/"))
    newest = [key for key in listed if layout.is_evidence_key(key)][-limit:]
    found: dict[str, PastDrill] = {}
    unread: list[DrError] = []
    for key in newest:
        try:
            past = parse_evidence(vault, asset, key, vault.store.get(key))
        except (IntegrityError, NotFound) as error:
            unread.append(error)
        else:
            found[past.scenario] = past
    return found, unread


def newest_of(many: list[dict[str, PastDrill]]) -> dict[str, PastDrill]:
    """The newest drill of each scenario over several vaults."""
    found: dict[str, PastDrill] = {}
    for one in many:
        for scenario, past in one.items():
            if scenario not in found or past.drill > found[scenario].drill:
                found[scenario] = past
    return found

"""Past drills of an asset, from the evidence in one vault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

from dr_lib.errors import DrError, IntegrityError, NotFound
from dr_lib.format import layout
from dr_lib.vault.evidence import PastDrill, parse_evidence
from dr_lib.vault.vault import Vault

MOST_READ: Final = 60


def newest_drills(
    vault: Vault, asset: str, known: Mapping[str, PastDrill], limit: int = MOST_READ
) -> tuple[list[PastDrill], list[DrError]]:
    """The `limit` newest drills of the asset, oldest first, and what could not be read.

    One listing, and a small get for each that is not `known` by its id. Raises what the listing raises.
    """
    listed = (info.key for info in vault.store.list(f"{layout.EVIDENCE}{asset}/"))
    found: list[PastDrill] = []
    unread: list[DrError] = []
    for key in [key for key in listed if layout.is_evidence_key(key)][-limit:]:
        drill = PurePosixPath(key).stem
        if drill in known:
            found.append(known[drill])
            continue
        try:
            found.append(parse_evidence(vault, asset, key, vault.store.get(key)))
        except (IntegrityError, NotFound) as error:
            unread.append(error)
    return found, unread


def newest_by_scenario(drills: Iterable[PastDrill]) -> dict[str, PastDrill]:
    """The newest drill of each scenario."""
    found: dict[str, PastDrill] = {}
    for past in drills:
        if past.scenario not in found or past.drill > found[past.scenario].drill:
            found[past.scenario] = past
    return found

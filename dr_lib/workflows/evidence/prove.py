"""Proving evidence: signatures, schema, the chain over all regions, and the point that each piece is about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import DrError, NotFound
from dr_lib.model.evidence import Trouble
from dr_lib.policy.evidence_chain import chain_notes, chain_troubles
from dr_lib.storage.locking import locking
from dr_lib.vault.evidence import PREDICATE
from dr_lib.vault.expiries import expired_points
from dr_lib.vault.vault import Vault
from dr_lib.workflows.evidence.gather import Gathered, Piece, gather

SAME: Final = "the manifest is the one"
EXPIRED: Final = "expired by retention"
UNKNOWN: Final = "unknown"
NO_POINT: Final = "none: the drill reached no point"


@dataclass(frozen=True, slots=True)
class Proven:
    """What the evidence of an asset is worth. `points` says of each key how its point's manifest stands; `locks` until
    when each region that locks keeps it: a time, `unlocked` or `unknown`."""

    gathered: Gathered
    troubles: tuple[Trouble, ...]
    notes: tuple[str, ...]
    points: dict[str, str]
    locks: dict[str, dict[str, str]]


def prove(vaults: Sequence[Vault], asset: str, silent: Sequence[str] = ()) -> Proven:
    """Check all evidence of an asset that the vaults hold. `silent` are regions that did not open.

    Nothing is written. What is wrong is in the answer; so is what cannot be known.
    """
    found = gather(vaults, asset)
    quiet = sorted({*silent, *found.silent})
    asked = [vault for vault in vaults if vault.region not in found.silent]
    troubles = [*found.troubles, *chain_troubles([piece.entry for piece in found.pieces.values()])]
    points: dict[str, str] = {}
    gone = _Gone(asked, asset, everyone=not quiet)
    for key, piece in found.pieces.items():
        points[key] = gone.standing(piece)
        if points[key].startswith("!"):
            points[key] = points[key][1:]
            troubles.append(Trouble(piece.past.drill, key, points[key]))
    notes = [f"{region} did not answer: what it holds was not looked at" for region in quiet]
    notes += [f"{region} lacks {len(keys)} that others hold: `drctl replicate {asset}` brings them"
              for region, keys in found.lacking.items()]  # fmt: skip
    notes += chain_notes([piece.entry for piece in found.pieces.values()])
    old = sum(piece.statement.get("predicateType") != PREDICATE for piece in found.pieces.values())
    notes += [f"{old} of version 1 name no evidence before them: that one of them was removed shows only in a later one"
              ] if old else []  # fmt: skip
    locks = {key: _locks(asked, piece) for key, piece in found.pieces.items()}
    notes += [
        f"{key} is not locked in {region}" for key, one in locks.items() for region in one if one[region] == "unlocked"
    ]
    if any(not vault.access.trusted for vault in asked):
        notes.append("no signers are named in dr.yaml: whoever can write to a region can write evidence")
    return Proven(found, tuple(troubles), tuple(notes), points, locks)


class _Gone:
    """Whether the points of evidence are what they were; asks each region once for a point, and for what expired."""

    def __init__(self, vaults: Sequence[Vault], asset: str, *, everyone: bool) -> None:
        self._vaults = vaults
        self._asset = asset
        self._everyone = everyone
        self._seen: dict[tuple[str, str], str] = {}
        self._expired: frozenset[str] | None = None

    def standing(self, piece: Piece) -> str:
        """How the manifest stands; what must not be begins with an exclamation mark."""
        predicate = piece.statement["predicate"]
        point, digest = predicate.get("point") or "", predicate.get("manifest_sha256") or ""
        if not digest:
            return NO_POINT
        if piece.statement["subject"][0].get("digest") != {"sha256": digest}:
            return "!its subject is not the point that it tells of"
        if (point, digest) not in self._seen:
            self._seen[point, digest] = self._asked(point, digest)
        return self._seen[point, digest]

    def _asked(self, point: str, digest: str) -> str:
        other, unread = False, not self._everyone
        for vault in self._vaults:
            try:
                data = vault.manifest_bytes(self._asset, point)
            except NotFound:
                continue
            except DrError:
                unread = True
                continue
            if hashlib.sha256(data).hexdigest() == digest:
                return SAME
            other = True
        if other:
            return f"!the manifest of {point} is not the one that was restored"
        if point in self._expired_points():
            return EXPIRED
        return (
            UNKNOWN
            if unread or not self._everyone
            else f"!the point {point} is in no region, and nothing says that it expired"
        )

    def _expired_points(self) -> frozenset[str]:
        if self._expired is None:
            found: set[str] = set()
            for vault in self._vaults:
                try:
                    found |= expired_points(vault, self._asset)
                except DrError:
                    self._everyone = False
            self._expired = frozenset(found)
        return self._expired


def _locks(vaults: Sequence[Vault], piece: Piece) -> dict[str, str]:
    return locks_of([vault for vault in vaults if vault.region in piece.regions], piece.past.key)


def locks_of(vaults: Sequence[Vault], key: str) -> dict[str, str]:
    """Until when evidence is locked in each of the vaults whose region locks: a time, `unlocked` or `unknown`."""
    return {vault.region: _lock(vault, key) for vault in vaults if vault.lock is not None}


def _lock(vault: Vault, key: str) -> str:
    try:
        until = locking(vault.store).locked_until(key)
    except DrError:
        return UNKNOWN
    return until.isoformat() if until else "unlocked"

"""Which point to restore, and from which region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dr_lib.errors import IntegrityError, NotFound, Refused, StoreUnavailable
from dr_lib.model.copy import Copy, CopyState, KnownPoint

LATEST = "latest"
LATEST_VERIFIED = "latest-verified"
_RESTORABLE = (CopyState.VERIFIED, CopyState.COMPLETE)


@dataclass(frozen=True, slots=True)
class Choice:
    """A point and the regions to take it from, best first."""

    point: KnownPoint
    regions: tuple[str, ...]


def choose(
    asset: str, points: Sequence[KnownPoint], wanted: str, *, at: datetime | None = None, silent: Sequence[str] = ()
) -> Choice:
    """The newest point that answers to `wanted` and can be restored from at least one region.

    `wanted` is `latest`, `latest-verified` or a point's id; `at` limits to points made at or before that moment;
    `silent` are regions that did not answer, which may hold points that nobody else knows of. Verified copies come
    before merely complete ones, then the asset's own order of regions. A quarantined point is taken by its id alone.
    Raises `NotFound` when no point answers, `StoreUnavailable` when one could lie in a silent region, `IntegrityError`
    when every copy is known to be damaged, `Refused` when all that could be taken is quarantined.
    """
    verified_only = wanted == LATEST_VERIFIED
    matching = [p for p in points if _matches(p, wanted) and (at is None or p.created_at <= at)]
    candidates = [p for p in matching if p.quarantine is None or p.point == wanted]
    for point in sorted(candidates, key=lambda p: p.point, reverse=True):
        regions = restorable_regions(point, verified_only=verified_only)
        if regions:
            return Choice(point, regions)
    raise _nothing(asset, matching, wanted, silent)


def restorable_regions(point: KnownPoint, *, verified_only: bool = False) -> tuple[str, ...]:
    """Regions from which the point can be taken, verified copies first."""
    allowed = _RESTORABLE[:1] if verified_only else _RESTORABLE
    return tuple(c.region for state in allowed for c in point.copies if c.state is state)


def _matches(point: KnownPoint, wanted: str) -> bool:
    return wanted in (LATEST, LATEST_VERIFIED, point.point)


def _nothing(
    asset: str, candidates: Sequence[KnownPoint], wanted: str, silent: Sequence[str]
) -> NotFound | StoreUnavailable | IntegrityError | Refused:
    copies: list[Copy] = [copy for point in candidates for copy in point.copies]
    mute = {*silent, *(c.region for c in copies if c.state is CopyState.UNKNOWN)}
    if mute:
        return StoreUnavailable(
            f"no region that answers holds {wanted!r} of {asset!r}",
            where=f"no answer from: {', '.join(sorted(mute))}",
            hint="`drctl doctor` tells why; run the command again when they answer",
        )
    distrusted = [point.point for point in candidates if point.quarantine is not None and restorable_regions(point)]
    if distrusted:
        return Refused(
            f"what could be taken for {wanted!r} of {asset!r} is quarantined: {', '.join(sorted(distrusted)[-3:])}",
            hint=f"`drctl quarantine list {asset}` says why; name one with --point to take it all the same",
        )
    if any(c.state is CopyState.DAMAGED for c in copies):
        return IntegrityError(
            f"every copy of {wanted!r} of {asset!r} is damaged",
            hint="name an older point with --point; `drctl points` lists them",
        )
    return NotFound(f"no point of {asset!r} answers to {wanted!r}", hint="`drctl points` lists what there is")

"""First phase of a prune: write down what may go, and delete nothing."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from dr_lib.errors import IntegrityError, NotFound, OutOfSpace, Refused
from dr_lib.format import index as index_format
from dr_lib.format import layout
from dr_lib.format.layout import PointName
from dr_lib.model.prune import Doomed, PrunePlan
from dr_lib.storage.base import JanitorStore
from dr_lib.vault.closing import close_dead_run
from dr_lib.vault.prune_plans import save_plan
from dr_lib.vault.vault import Vault
from dr_lib.workflows.prune.doomed import Ground, dead_runs, doomed, without
from dr_lib.workflows.prune.survey import READERS, Survey


@dataclass(frozen=True, slots=True)
class Locked:
    """Something that would go and is locked until then."""

    key: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What may go from a region and no plan names yet; `locked` has to wait for its locks, `held_up` for their writers:
    keys of claims whose points were never committed."""

    points: tuple[PointName, ...]
    objects: tuple[Doomed, ...]
    locked: tuple[Locked, ...]
    held_up: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """What its objects take."""
        return sum(one.size for one in self.objects)


@dataclass(frozen=True, slots=True)
class Decision:
    """What retention says now, over all assets that were asked about: points that may go, and those that something
    keeps. A point in neither is not known of, and stays."""

    expired: frozenset[PointName]
    staying: frozenset[PointName]


@dataclass(frozen=True, slots=True)
class Scope:
    """The region's vault and its janitor; `asset` limits it, empty for all."""

    vault: Vault
    janitor: JanitorStore
    asset: str
    now: datetime
    grace: timedelta


def propose(scope: Scope, seen: Survey, expired: Collection[PointName], plans: Iterable[PrunePlan]) -> Proposal:
    """What a plan written now would name, beside the `plans` that stand. Changes nothing.

    Points whose manifest is locked beyond the grace period are left for later. `Refused` (7) when the grace period is
    shorter than a backup here took.
    """
    _refuse_short_grace(scope, seen)
    standing = list(plans)
    planned = {point for plan in standing for point in plan.points}
    named = {(one.key, one.version) for plan in standing for one in plan.objects}
    mine = [name for name in sorted(expired) if name in seen.manifests and scope.asset in ("", name.asset)]
    locked = _locked(scope, [name for name in mine if (name.asset, name.point) not in planned])
    points = frozenset(name for name in mine if name not in locked)
    ground = Ground(
        seen, points, dead_runs(seen, scope.asset, scope.now, scope.grace), scope.asset, scope.now, scope.grace
    )
    objects = without(doomed(ground, lambda key: _packs_in_index(scope.vault, key)), named)
    new = tuple(name for name in sorted(points) if (name.asset, name.point) not in planned)
    return Proposal(new, objects, tuple(locked.values()), _held_up(seen))


def write_plan(scope: Scope, seen: Survey, proposal: Proposal) -> PrunePlan | None:
    """Close the dead runs whose records go, and leave a plan; None when there is nothing to plan.

    A run that its writer closed at the last moment is left out. `OutOfSpace` when the store has no room for the plan.
    """
    dead = {name for name in dead_runs(seen, scope.asset, scope.now, scope.grace) if name not in proposal.points}
    loose = {name for name in dead if not seen.runs[name].expired}
    alive = {name for name in loose if not close_dead_run(scope.vault, name.asset, name.point)}
    objects = tuple(one for one in proposal.objects if not _is_of(one.key, alive))
    if not objects:
        return None
    plan = PrunePlan(
        id=layout.point_id(scope.now, secrets.token_bytes(4)),
        region=scope.vault.region,
        asset=scope.asset,
        at=scope.now,
        points=tuple((name.asset, name.point) for name in proposal.points),
        objects=objects,
    )
    try:
        save_plan(scope.vault, plan)
    except OutOfSpace as error:
        hint = "nothing new was planned; what older plans name is deleted all the same once their grace period is over"
        raise OutOfSpace(f"there is no room for the plan: {error.what}", where=error.where, hint=hint) from error
    return plan


def _is_of(key: str, runs: Collection[PointName]) -> bool:
    found = layout.parse_run_object(key)
    return found is not None and found[0] in runs


def _refuse_short_grace(scope: Scope, seen: Survey) -> None:
    """By the store's own clock, from a run's plan to its commit: to what its writer left last, for a manifest that was
    healed is as young as its healing."""
    for name, versions in seen.manifests.items():
        parts = seen.runs[name].parts if name in seen.runs else {}
        plan, closed = parts.get("plan.json.zst"), parts.get(layout.CLOSED)
        took = (closed or versions)[-1].modified_at - plan[-1].modified_at if plan else timedelta(0)
        if took > scope.grace:
            raise Refused(
                f"the backup {name.point} of {name.asset!r} took {took}, longer than the grace period of {scope.grace}",
                where=scope.vault.store.label,
                hint="set `prune.grace` in dr.yaml to more than any backup takes",
            )


def _locked(scope: Scope, points: list[PointName]) -> dict[PointName, Locked]:
    """Points whose manifest is locked beyond the grace period; one request a point that is about to be planned."""

    def look(name: PointName) -> datetime | None:
        try:
            return scope.janitor.locked_until(layout.manifest_key(name.asset, name.point))
        except NotFound:
            return None

    with ThreadPoolExecutor(READERS) as pool:
        ends = zip(points, pool.map(look, points), strict=True)
        return {
            name: Locked(layout.manifest_key(name.asset, name.point), until)
            for name, until in ends
            if until is not None and until > scope.now + scope.grace
        }


def _packs_in_index(vault: Vault, key: str) -> set[str] | None:
    """An index that does not parse names nothing that anybody could use; one that is gone is not there to delete."""
    try:
        return {item.sha256 for item in index_format.load(vault.store.get(key), vault.where(key))}
    except IntegrityError:
        return set()
    except NotFound:
        return None


def _held_up(seen: Survey) -> tuple[str, ...]:
    return tuple(
        versions[0].key
        for name, run in seen.runs.items()
        if run.claims
        for part, versions in run.parts.items()
        if layout.is_needs(part)
    )

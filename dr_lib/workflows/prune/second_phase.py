"""Second phase of a prune: delete what a plan of long ago names and what still may go. Resumable at any instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from dr_lib.errors import NotFound, OutOfSpace, Refused
from dr_lib.format import layout
from dr_lib.format.layout import PointName
from dr_lib.model.prune import Doomed, PrunePlan
from dr_lib.storage.base import JanitorStore
from dr_lib.vault.claims import Claim
from dr_lib.vault.expiries import expired_points, record_expiry
from dr_lib.vault.holds import holds
from dr_lib.vault.prune_plans import begin, finish, is_withdrawn
from dr_lib.vault.vault import Vault
from dr_lib.workflows.prune.first_phase import Decision, Locked, Scope
from dr_lib.workflows.prune.survey import READERS, Summaries, Survey, Versions, survey

DONE = "done"
WITHDRAWN = "withdrawn"
CAPPED = "to be continued"
AT_ONCE = 8 * READERS
"""Deletions between two looks at whether somebody else has ended the plan."""


@dataclass
class Budget:
    """What one run may still delete in a region."""

    objects: int
    bytes: int

    def take(self, found: Iterable[Doomed]) -> Iterator[Doomed]:
        """Of `found`, in order, what there is budget for. The first is granted when its size alone is beyond all."""
        for one in found:
            if self.objects <= 0 or self.bytes <= 0:
                return
            self.objects -= 1
            self.bytes -= one.size
            yield one

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be deleted."""
        return self.objects <= 0 or self.bytes <= 0


@dataclass
class Executed:
    """What came of a plan. `points` were deleted, `kept` are those of the plan that something keeps by now."""

    plan: PrunePlan
    state: str = DONE
    points: list[PointName] = field(default_factory=list)
    kept: list[PointName] = field(default_factory=list)
    objects: int = 0
    bytes: int = 0
    locked: list[Locked] = field(default_factory=list)


@dataclass
class _Second:
    scope: Scope
    plan: PrunePlan
    budget: Budget
    known: Summaries
    result: Executed

    @property
    def vault(self) -> Vault:
        return self.scope.vault

    @property
    def janitor(self) -> JanitorStore:
        return self.scope.janitor


def execute(scope: Scope, plan: PrunePlan, decision: Decision, budget: Budget, known: Summaries) -> Executed:
    """Delete what `plan` names and nothing needs: of its points those that may go by a decision made just now.

    Manifests go first, so that no point is ever seen that lacks a pack. Killed anywhere, the same call goes on; two at
    once delete the same. What is locked is skipped and said. Errors: `Refused` (7) when it cannot be told what the
    vault needs; nothing is deleted then. `OutOfSpace` (6) when the store has no room for a word of some hundred bytes.
    """
    work = _Second(scope, plan, budget, known, Executed(plan))
    if is_withdrawn(scope.vault, plan.id):
        return _end(work, WITHDRAWN)
    seen = survey(scope.vault, scope.janitor, known)
    going = _going(work, seen, decision)
    unsaid = _delete_manifests(work, seen, going)
    if not begin(scope.vault, plan.id):
        return _end(work, WITHDRAWN)
    # Only now, behind the gate: who claims something later finds the plan, and does not commit.
    _delete_rest(work, survey(scope.vault, scope.janitor, known))
    for name in unsaid:
        _say(work, name)
    if budget.is_spent:
        work.result.state = CAPPED
        return work.result
    return _end(work, DONE)


def _going(work: _Second, seen: Survey, decision: Decision) -> list[PointName]:
    """Points of the plan that still may go, none of them held since; it also says of those that are gone that they are
    expired, should an earlier run have died before it said so."""
    named = _named(work.plan)
    assets = {name.asset for name in named}
    held = {PointName(hold.asset, hold.point) for asset in assets for hold in holds(work.vault, asset)}
    told = {PointName(asset, point) for asset in assets for point in expired_points(work.vault, asset)}
    going = []
    for name in named:
        if name not in seen.manifests:
            if name not in told | decision.staying:
                with suppress(OutOfSpace):
                    _say(work, name)
        elif name in decision.expired and name not in held:
            going.append(name)
        else:
            work.result.kept.append(name)
    return going


def _named(plan: PrunePlan) -> list[PointName]:
    return [PointName(asset, point) for asset, point in plan.points]


def _delete_manifests(work: _Second, seen: Survey, going: Sequence[PointName]) -> list[PointName]:
    """Delete the manifests of points, each after the word that it expired; those whose word found no room."""
    named: defaultdict[str, list[Doomed]] = defaultdict(list)
    for one in work.plan.objects:
        named[one.key].append(one)
    unsaid = []
    for name in going:
        versions = seen.manifests[name]
        if {v.version for v in versions} != {one.version for one in named[versions[0].key]}:
            work.result.kept.append(name)  # somebody healed it since: it is planned anew
            continue
        if work.budget.is_spent:
            break
        try:
            _say(work, name)
        except OutOfSpace:
            unsaid.append(name)
        if _delete(work, list(work.budget.take(_from_below(versions, named[versions[0].key])))):
            work.result.points.append(name)
    return unsaid


def _from_below(versions: Versions, named: Sequence[Doomed]) -> list[Doomed]:
    """The versions of one manifest, oldest first: none comes to light because the one above it went."""
    order = [version.version for version in reversed(versions)]
    return sorted(named, key=lambda one: order.index(one.version))


def _say(work: _Second, name: PointName) -> None:
    record_expiry(work.vault, name.asset, name.point, work.plan.id, work.plan.at)


def _delete_rest(work: _Second, seen: Survey) -> None:
    """Packs that nothing needs, then, if all of them went, what tells of them."""
    needed = seen.needed(without=frozenset(_named(work.plan)) - set(seen.manifests))
    rest = [one for one in work.plan.objects if layout.parse_manifest_key(one.key) is None]
    packs = [one for one in rest if one.key.startswith(layout.PACKS)]
    free = [one for one in packs if _name(one.key) not in needed.packs and _stands_alone(one, packs, seen)]
    _delete(work, list(work.budget.take(_present(free, seen.packs.values()))))
    if work.budget.is_spent or work.result.locked or len(free) < len(packs):
        needed, rest = Claim(needed.packs, frozenset(seen.keys)), [one for one in rest if not _is_index(one.key)]
    committed = {name.point for name in seen.manifests}
    others = [
        one for one in rest if not one.key.startswith(layout.PACKS) and _is_free(one.key, seen, needed, committed)
    ]
    _delete(work, list(work.budget.take(_present(others, _others(seen)))))


def _stands_alone(one: Doomed, packs: Sequence[Doomed], seen: Survey) -> bool:
    """Whether the plan names every version that the pack has: a newer one is somebody's who stored it again."""
    versions = {v.version for v in seen.packs.get(_name(one.key), ())}
    return versions <= {other.version for other in packs if other.key == one.key}


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _is_index(key: str) -> bool:
    return key.startswith(layout.INDEX)


def _is_free(key: str, seen: Survey, needed: Claim, committed: Collection[str]) -> bool:
    """Whether what tells of a run, or a run key, serves nobody."""
    if (run := layout.parse_run_object(key)) is not None:
        return run[0] not in seen.manifests
    if (run_key := layout.parse_run_key_key(key)) is not None:
        return run_key.id not in needed.keys
    point = layout.index_point(key)
    return point is not None and point not in committed


def _others(seen: Survey) -> Iterator[Versions]:
    for run in seen.runs.values():
        yield from run.parts.values()
    for group in (*seen.indexes.values(), *seen.keys.values()):
        yield from group


def _present(found: Iterable[Doomed], there: Iterable[Versions]) -> Iterator[Doomed]:
    """What is there still: an earlier run may have ended in the middle."""
    versions = {(v.key, v.version) for each in there for v in each}
    return (one for one in found if (one.key, one.version) in versions)


def _delete(work: _Second, found: Sequence[Doomed]) -> bool:
    """Delete some objects; False when a lock kept one. Stops when another janitor has ended the plan meanwhile."""

    def delete(one: Doomed) -> Locked | None:
        return _deleted(work, one)

    before = len(work.result.locked)
    with ThreadPoolExecutor(READERS) as pool:
        for start in range(0, len(found), AT_ONCE):
            if _is_done(work):
                break
            part = found[start : start + AT_ONCE]
            for one, locked in zip(part, pool.map(delete, part), strict=True):
                if locked is not None:
                    work.result.locked.append(locked)
                else:
                    work.result.objects += 1
                    work.result.bytes += one.size
    return len(work.result.locked) == before


def _deleted(work: _Second, one: Doomed) -> Locked | None:
    """Delete one version. None when it is gone; what was said of its lock when that kept it."""
    try:
        work.janitor.delete(one.key, one.version)
    except Refused:
        until = _lock_of(work, one.key)
        if until is None or until <= work.scope.now:
            raise
        return Locked(one.key, until)
    return None


def _lock_of(work: _Second, key: str) -> datetime | None:
    try:
        return work.janitor.locked_until(key)
    except NotFound:
        return None


def _is_done(work: _Second) -> bool:
    try:
        work.vault.store.head(layout.prune_done_key(work.plan.id))
    except NotFound:
        return False
    return True


def _end(work: _Second, state: str) -> Executed:
    """Say that the plan is done with. Its own objects go when their locks allow it: see `sweep`."""
    finish(work.vault, work.plan.id)
    work.result.state = state
    return work.result


def sweep(janitor: JanitorStore) -> None:
    """Delete the objects of plans that are done with, the word that they are last; what is locked waits."""
    parts: defaultdict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for version in janitor.versions(layout.PRUNES):
        found = layout.parse_prune_key(version.key)
        if found is not None:
            parts[found[0]][found[1]].append((version.key, version.version))
    for has in parts.values():
        if "done" in has:
            _sweep(janitor.delete, [pair for part in ("json", "gate", "done") for pair in has.get(part, ())])


def _sweep(delete: Callable[[str, str], None], pairs: Iterable[tuple[str, str]]) -> None:
    try:
        for key, version in pairs:
            delete(key, version)
    except Refused:
        return  # locked: another day

"""What goes with the points that may go, and what nobody needs any more. Decisions over a survey; deletes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dr_lib.format import layout
from dr_lib.format.layout import PointName
from dr_lib.model.prune import Doomed
from dr_lib.workflows.prune.survey import Survey, Versions

NamesOf = Callable[[str], Collection[str] | None]
"""Names of the packs that the index object of a key lists; None when it cannot be read."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is decided from: the survey, the points that may go, runs given up for dead, and what counts as old.

    `asset` limits what goes to what points of that asset alone needed; it is empty for all.
    """

    seen: Survey
    points: frozenset[PointName]
    dead: frozenset[PointName]
    asset: str
    now: datetime
    grace: timedelta

    def is_old(self, versions: Versions) -> bool:
        """Whether no version of an object is younger than the grace period."""
        return all(version.modified_at + self.grace <= self.now for version in versions)


def dead_runs(seen: Survey, asset: str, now: datetime, grace: timedelta) -> frozenset[PointName]:
    """Runs that committed nothing or whose point expired, that claim nothing, and of which nothing is younger than the
    grace period."""
    ground = Ground(seen, frozenset(), frozenset(), asset, now, grace)
    return frozenset(
        name
        for name, run in seen.runs.items()
        if name not in seen.manifests
        and asset in ("", name.asset)
        and not run.claims
        and (run.expired or set(run.parts) - {layout.CLOSED})
        and name.created_at + grace <= now
        and all(ground.is_old(versions) for versions in run.parts.values())
    )


def doomed(ground: Ground, names_of: NamesOf) -> tuple[Doomed, ...]:
    """Everything that goes, in the order in which it is deleted: manifests, packs, indexes, run records, run keys."""
    manifests = [ground.seen.manifests[name] for name in sorted(ground.points)]
    packs = dict(_packs(ground))
    found = [*manifests, *packs.values(), *_indexes(ground, packs, names_of), *_records(ground), *_keys(ground, packs)]
    return tuple(Doomed(v.key, v.version, v.size) for versions in found for v in versions)


def _packs(ground: Ground) -> Iterator[tuple[str, Versions]]:
    needed = ground.seen.needed(ground.points).packs
    theirs = {ref.sha256 for name in ground.points for ref in ground.seen.summaries[name].packs}
    for name, versions in ground.seen.packs.items():
        if name not in needed and ground.is_old(versions) and (not ground.asset or name in theirs):
            yield name, versions


def _indexes(ground: Ground, packs: Collection[str], names_of: NamesOf) -> Iterator[Versions]:
    """Indexes of points that are gone or go, of whose packs none stays."""
    staying = {name.point for name in ground.seen.manifests if name not in ground.points}
    going = {name.point for name in ground.points}
    for point, indexes in ground.seen.indexes.items():
        if point in staying or (ground.asset and point not in going):
            continue
        for versions in indexes:
            if ground.is_old(versions) and _none_stays(names_of(versions[0].key), packs, ground.seen.packs):
                yield versions


def _none_stays(names: Collection[str] | None, going: Collection[str], present: Collection[str]) -> bool:
    return names is not None and all(name in going or name not in present for name in names)


def _records(ground: Ground) -> Iterator[Versions]:
    """Records of runs whose point goes, and of dead runs but for the word that they are closed."""
    for name in sorted(ground.points):
        if name in ground.seen.runs:
            yield from ground.seen.runs[name].parts.values()
    for name in sorted(ground.dead):
        run = ground.seen.runs[name]
        yield from (versions for part, versions in run.parts.items() if run.expired or part != layout.CLOSED)


def _keys(ground: Ground, packs: Collection[str]) -> Iterator[Versions]:
    """Run keys that nothing needs; none while a pack stays of which nobody says under which key it is sealed."""
    needed = ground.seen.needed(ground.points)
    if not all(name in packs or name in needed.packs for name in ground.seen.packs):
        return
    theirs = {key for name in ground.points for key in ground.seen.summaries[name].keys}
    for key, generations in ground.seen.keys.items():
        if key in needed.keys or (ground.asset and key not in theirs):
            continue
        if all(ground.is_old(versions) for versions in generations):
            yield from generations


def without(found: Iterable[Doomed], named: Collection[tuple[str, str]]) -> tuple[Doomed, ...]:
    """What no plan names yet, by key and version."""
    return tuple(one for one in found if (one.key, one.version) not in named)

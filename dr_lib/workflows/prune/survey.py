"""What a region's vault holds and what needs what: one listing a kind of object, one summary a manifest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import IntegrityError, NotFound, Refused
from dr_lib.format import layout
from dr_lib.format.layout import PointName
from dr_lib.model.manifest import PointSummary
from dr_lib.storage.base import JanitorStore, ObjectVersion
from dr_lib.vault.claims import Claim, read_claim
from dr_lib.vault.expiries import expired_points
from dr_lib.vault.vault import Vault

READERS: Final = 8
Versions = tuple[ObjectVersion, ...]
"""Every version of one object, newest first."""
Summaries = dict[tuple[str, str], PointSummary]
"""Summaries that were read, by key and version of their manifest: immutable, so read once."""


@dataclass(frozen=True, slots=True)
class Run:
    """Objects of a run or a replication, by their names within it. `claims` are those of a point that may be committed
    yet; `expired`: it was committed, and a prune took it away."""

    parts: dict[str, Versions]
    claims: tuple[Claim, ...]
    expired: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """A vault as it stood. `indexes` by the point that left them, `keys` by the run key's id, `packs` by name."""

    manifests: dict[PointName, Versions]
    summaries: dict[PointName, PointSummary]
    runs: dict[PointName, Run]
    packs: dict[str, Versions]
    indexes: dict[str, tuple[Versions, ...]]
    keys: dict[str, tuple[Versions, ...]]

    @property
    def hidden(self) -> tuple[PointName, ...]:
        """Points whose manifest is there and is not shown: the newest version only says that the key was deleted."""
        return tuple(name for name, versions in self.manifests.items() if versions[0].is_marker)

    def needed(self, without: Collection[PointName] = ()) -> Claim:
        """What the manifests, and the claims of points that are not committed, need, but for the points `without`."""
        left = set(self.manifests) - set(without)
        packs = {ref.sha256 for name in left for ref in self.summaries[name].packs}
        keys = {key for name in left for key in self.summaries[name].keys}
        claims = [claim for name, run in self.runs.items() if name not in without for claim in run.claims]
        packs = packs.union(*(claim.packs for claim in claims))
        return Claim(frozenset(packs), frozenset(keys.union(*(claim.keys for claim in claims))))


def survey(vault: Vault, janitor: JanitorStore, known: Summaries) -> Survey:
    """Look at everything; `known` spares, and gets, summaries.

    `Refused` (7) when a manifest or a claim cannot be read: then nobody knows what it needs, and all stays. A manifest
    that somebody hid behind a deletion marker counts as if it were there.
    """
    listed = ((layout.parse_manifest_key(key), found) for key, found in _objects(janitor, layout.POINTS))
    manifests = {name: found for name, found in listed if name is not None}
    runs: defaultdict[PointName, dict[str, Versions]] = defaultdict(dict)
    for key, found in _objects(janitor, layout.RUNS):
        if (named := layout.parse_run_object(key)) is not None:
            runs[named[0]][named[1]] = found
    indexes: defaultdict[str, list[Versions]] = defaultdict(list)
    for key, found in _objects(janitor, layout.INDEX):
        if (point := layout.index_point(key)) is not None:
            indexes[point].append(found)
    keys: defaultdict[str, list[Versions]] = defaultdict(list)
    for key, found in _objects(janitor, layout.KEYS):
        if (run_key := layout.parse_run_key_key(key)) is not None:
            keys[run_key.id].append(found)
    summaries = _summaries(vault, janitor, manifests, known)
    return Survey(
        manifests={name: manifests[name] for name in summaries},
        summaries=summaries,
        runs=_runs(vault, runs, summaries),
        packs={pack: found for key, found in _objects(janitor, layout.PACKS) if (pack := _pack_name(key))},
        indexes={point: tuple(found) for point, found in indexes.items()},
        keys={key: tuple(found) for key, found in keys.items()},
    )


def _objects(janitor: JanitorStore, prefix: str) -> Iterator[tuple[str, Versions]]:
    """Key and versions of every object, in key order."""
    current: list[ObjectVersion] = []
    for version in janitor.versions(prefix):
        if current and current[0].key != version.key:
            yield current[0].key, tuple(current)
            current = []
        current.append(version)
    if current:
        yield current[0].key, tuple(current)


def _pack_name(key: str) -> str | None:
    name = key.rpartition("/")[2]
    return name if key == layout.pack_key(name) else None


def _summaries(
    vault: Vault, janitor: JanitorStore, manifests: Mapping[PointName, Versions], known: Summaries
) -> dict[PointName, PointSummary]:
    def read(item: tuple[PointName, Versions]) -> PointSummary | None:
        name, versions = item
        shown = next((version for version in versions if not version.is_marker), None)
        if shown is None:
            return None
        if (shown.key, shown.version) not in known:
            found = _summary(vault, janitor, name, shown)
            if found is None:
                return None
            known[shown.key, shown.version] = found
        return known[shown.key, shown.version]

    with ThreadPoolExecutor(READERS) as pool:
        found = zip(manifests, pool.map(read, manifests.items()), strict=True)
        return {name: summary for name, summary in found if summary is not None}


def _summary(vault: Vault, janitor: JanitorStore, name: PointName, shown: ObjectVersion) -> PointSummary | None:
    """The clear part of a manifest; None when another janitor deleted it meanwhile."""
    try:
        if shown.is_latest:
            return vault.summary(name.asset, name.point)
        return vault.parse_clear(name.asset, name.point, janitor.get_version(shown.key, shown.version))
    except NotFound as error:
        if not any(version.version == shown.version for version in janitor.versions(shown.key)):
            return None
        raise _unread(vault, shown.key, error) from error
    except IntegrityError as error:
        raise _unread(vault, shown.key, error) from error


def _runs(
    vault: Vault, runs: Mapping[PointName, dict[str, Versions]], committed: Collection[PointName]
) -> dict[PointName, Run]:
    loose = {name.asset for name in runs if name not in committed}
    expired = {PointName(asset, point) for asset in loose for point in expired_points(vault, asset)} - set(committed)
    return {
        name: Run(parts, () if name in committed or name in expired else _claims(vault, parts), expired=name in expired)
        for name, parts in runs.items()
    }


def _claims(vault: Vault, parts: Mapping[str, Versions]) -> tuple[Claim, ...]:
    keys = [versions[0].key for part, versions in parts.items() if layout.is_needs(part)]
    try:
        return tuple(read_claim(vault, key) for key in keys)
    except (IntegrityError, NotFound) as error:
        raise _unread(vault, ", ".join(keys), error) from error


def _unread(vault: Vault, key: str, error: IntegrityError | NotFound) -> Refused:
    return Refused(
        f"what this needs cannot be told, so nothing here is deleted: {error.what}",
        where=vault.where(key),
        hint="`drctl heal` brings it back from another region; then prune again",
    )

"""Bringing back to light what a vault held before other versions, or delete markers, were put on top of it.

Whoever may write can bury an object that is locked, and cannot remove it: the server keeps it below. Every object of a
vault is created once, so what its key does not prove, its age does: the oldest version is the one that was created.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import canonical, entries, layout
from dr_lib.format import manifest as manifest_format
from dr_lib.format.access import Access
from dr_lib.storage.base import JanitorStore, ObjectVersion

STREAMS: Final = 4
"""Objects at a time; each is held in memory."""
Fits = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Keys whose authentic version is the newest again, and those of which no version is authentic any more."""

    restored: tuple[str, ...]
    lost: tuple[str, ...]


def uncover(store: JanitorStore, keys: Keyset) -> Uncovered:
    """Put the authentic version of every buried object on top again, as a new version. Nothing is deleted.

    Costs one listing of the versions; only objects of more than one version are read. Safe to repeat, and to end
    anywhere. A store without versions has nothing buried.
    """
    buried = [versions for versions in _by_key(store, "") if len(versions) > 1 or versions[0].is_marker]
    access = _access(store, keys)
    with ThreadPoolExecutor(STREAMS) as pool:
        found = list(pool.map(lambda versions: _raised(store, versions, access), buried))
    outcomes = list(zip((versions[0].key for versions in buried), found, strict=True))
    return Uncovered(
        restored=tuple(key for key, outcome in outcomes if outcome),
        lost=tuple(key for key, outcome in outcomes if outcome is None),
    )


def authentic_version(
    store: JanitorStore, versions: Sequence[ObjectVersion], fits: Fits
) -> tuple[ObjectVersion, bytes] | None:
    """The oldest of an object's `versions` (newest first) whose bytes fit, and the bytes; None when none does."""
    for version in reversed(versions):
        if version.is_marker:
            continue
        try:
            data = store.get_version(version.key, version.version)
        except NotFound:
            continue  # another janitor deleted it
        if fits(data):
            return version, data
    return None


def versions_of(store: JanitorStore, key: str) -> list[ObjectVersion]:
    """All versions of one object, newest first, delete markers among them."""
    return [version for version in store.versions(key) if version.key == key]


def proves(key: str, data: bytes, access: Access) -> bool:
    """Whether these bytes are what an object of that key holds, as far as key and signature can tell."""
    if key.startswith(layout.PACKS):
        return layout.pack_key(hashlib.sha256(data).hexdigest()) == key
    named = layout.parse_run_key_key(key) or layout.parse_event_key(key)
    if named is not None:
        return layout.event_check(data) == named.check
    point = layout.parse_manifest_key(key)
    if point is None:
        return True
    try:
        summary = manifest_format.load_clear(data, key, access)
    except IntegrityError:
        return False
    return (summary.asset, summary.point) == (point.asset, point.point)


def _by_key(store: JanitorStore, prefix: str) -> Iterator[list[ObjectVersion]]:
    for _, versions in groupby(store.versions(prefix), key=lambda version: version.key):
        yield list(versions)


def _raised(store: JanitorStore, versions: Sequence[ObjectVersion], access: Access) -> bool | None:
    """Whether an older version had to be put on top; None when no version is authentic."""
    key, newest = versions[0].key, versions[0]
    found = authentic_version(store, versions, lambda data: proves(key, data, access))
    if found is None:
        return None
    version, data = found
    if version.is_latest:
        return False
    if newest.is_marker:
        store.create(key, data)
    elif newest.tag != version.tag:
        store.replace(key, data, newest.tag)
    else:
        return False  # the same bytes are on top already
    return True


def _access(store: JanitorStore, keys: Keyset) -> Access:
    """What manifests are held against: the signers that dr.yaml pins, else those that the vault was made with."""
    if keys.trusted:
        return Access(keys.trusted, keys.seals)
    found = authentic_version(store, versions_of(store, layout.VAULT_KEY), lambda _: True)
    if found is None:
        return Access((), keys.seals)
    try:
        facts = canonical.loads(found[1], layout.VAULT_KEY)
        return Access(tuple(entries.text(item) for item in facts.get("signers", ())), keys.seals)
    except (IntegrityError, *entries.ODD):
        return Access((), keys.seals)

"""Which chunks a vault holds already, and where: what makes the second backup small.

Working memory of a writer, rebuilt at the start of each run from the vault's own objects and never needed to restore.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound
from dr_lib.format import index as index_format
from dr_lib.format import layout, pack
from dr_lib.format.index import IndexedPack
from dr_lib.format.pack import Frame, Outline
from dr_lib.model.manifest import PackRef
from dr_lib.vault.prune_plans import spoken_for
from dr_lib.vault.scrubs import known_damaged
from dr_lib.vault.vault import Vault

READERS = 8


@dataclass(frozen=True, slots=True)
class StoredPack:
    """A pack that a writer can reuse: its frames are known."""

    ref: PackRef
    outline: Outline
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """Where a chunk's stored bytes lie."""

    pack: PackRef
    frame: Frame


class ChunkIndex:
    """Chunk digest -> location. Safe to use from many threads."""

    def __init__(self, distrusted: frozenset[str] = frozenset()) -> None:
        """An index that knows nothing. `distrusted` are names of packs that are known to be damaged."""
        self.distrusted = distrusted
        self._by_digest: dict[bytes, Location] = {}
        self._lock = threading.Lock()

    def add(self, packs: Iterable[StoredPack]) -> None:
        """Learn packs that are stored; a chunk known already keeps its first place."""
        with self._lock:
            for item in packs:
                for frame in item.frames:
                    self._by_digest.setdefault(frame.digest, Location(item.ref, frame))

    def find(self, digest: bytes, raw: int) -> Location | None:
        """Where a chunk of that digest and length lies, None when it has to be stored."""
        location = self._by_digest.get(digest)
        return location if location is not None and location.frame.raw == raw else None


def load_index(vault: Vault, present: Mapping[str, int] | None = None) -> ChunkIndex:
    """Everything that can be reused in `vault`: indexed packs that are still there, and packs of interrupted runs.

    `present` is what `Vault.packs` said a moment ago, if somebody has asked already. Left out is what another writer
    key sealed, what a plan to delete names (it would be gone before long), and what a verification has found damaged.

    Costs four listings, a get an asset, one get a plan that stands, one get an index object, and three ranges for each
    pack that no index names (a run died between storing the pack and indexing it; its frames are learned from the
    pack's own table). Both carry the table's digest, so that a damaged one is left out. The frames' bytes are not read:
    finding rot there is verification's work.
    """
    going, damaged = spoken_for(vault), _damaged_packs(vault)
    present = _without(vault.packs() if present is None else present, going.packs | damaged)
    keys = [info.key for info in vault.store.list(layout.INDEX)]
    index = ChunkIndex(damaged)
    indexed: set[str] = set()
    with ThreadPoolExecutor(READERS) as pool:
        for packs in pool.map(lambda key: _load(vault, key), keys):
            kept = [item for item in packs if present.get(item.sha256) == item.outline.size]
            indexed.update(item.sha256 for item in kept)
            index.add(_opened(vault, _under_other(kept, going.keys)))
        orphans = [(name, size) for name, size in present.items() if name not in indexed]
        for found in pool.map(lambda item: _read_outline(vault, *item), orphans):
            index.add(_opened(vault, _under_other(found, going.keys)))
    return index


def save_index(vault: Vault, point: str, part: str, outlines: Iterable[tuple[str, Outline]]) -> None:
    """Leave word of the packs (name, outline) that one part of a run stored; nothing when it stored none."""
    packs = [IndexedPack(name, outline) for name, outline in outlines]
    if not packs:
        return
    try:
        vault.store.create(layout.index_key(point, part), index_format.dump(packs))
    except AlreadyExists:
        return


def indexed_outlines(vault: Vault) -> dict[str, Outline]:
    """The outlines of all packs that the vault's indexes name, by name, whether they are still there or not."""
    keys = [info.key for info in vault.store.list(layout.INDEX)]
    with ThreadPoolExecutor(READERS) as pool:
        return {item.sha256: item.outline for found in pool.map(lambda key: _load(vault, key), keys) for item in found}


def index_of(vault: Vault, packs: Iterable[PackRef]) -> bytes:
    """The bytes of an index of these packs, made from their own tables; those that have none are left out."""
    return index_format.dump(item for ref in packs for item in _read_outline(vault, ref.sha256, ref.size))


def _load(vault: Vault, key: str) -> list[IndexedPack]:
    """An index that does not parse only costs its reuse: what it named is learned from the packs themselves."""
    try:
        return list(index_format.load(vault.store.get(key), vault.where(key)))
    except (IntegrityError, NotFound):
        return []


def _under_other(packs: Iterable[IndexedPack], keys: Container[str]) -> Iterator[IndexedPack]:
    """The packs that are sealed under none of these run keys."""
    return (item for item in packs if item.outline.seal is None or item.outline.seal.key not in keys)


def reusable_packs(vault: Vault) -> dict[str, int]:
    """As `Vault.packs`: what a new point may rest on, so neither what a plan to delete names nor what is damaged."""
    return _without(vault.packs(), spoken_for(vault).packs | _damaged_packs(vault))


def _without(packs: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    return {name: size for name, size in packs.items() if name not in names}


def _damaged_packs(vault: Vault) -> frozenset[str]:
    damaged = known_damaged(vault)
    return frozenset(key.rpartition("/")[2] for key in damaged if key.startswith(layout.PACKS))


def _opened(vault: Vault, packs: Iterable[IndexedPack]) -> Iterator[StoredPack]:
    """The packs whose tables this writer can open and that hold."""
    for item in packs:
        outline = item.outline
        try:
            frames = pack.frames(outline, vault.where(layout.pack_key(item.sha256)), vault.keys.writer)
        except IntegrityError:
            continue
        if (outline.seal is not None) == vault.keys.seals:
            yield StoredPack(PackRef(item.sha256, outline.size, outline.seal), outline, frames)


def _read_outline(vault: Vault, name: str, size: int) -> list[IndexedPack]:
    key = layout.pack_key(name)
    where = vault.where(key)
    try:
        footer = vault.store.get_range(key, max(0, size - pack.FOOTER_SIZE), min(size, pack.FOOTER_SIZE))
        length = pack.table_size(footer, size, where)
        rows = vault.store.get_range(key, size - pack.FOOTER_SIZE - length, length)
        start = vault.store.get_range(key, 0, min(size, pack.SEALED_HEAD_SIZE))
        return [IndexedPack(name, pack.Outline(size, pack.parse_head(start, footer, where), rows, footer))]
    except (IntegrityError, NotFound):
        return []

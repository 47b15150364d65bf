"""Manifests: the clear part of each, read once and kept; for a full verification all of each."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from dr_lib.errors import DrError, IntegrityError, NotFound
from dr_lib.format import layout, pack
from dr_lib.format import manifest as manifest_format
from dr_lib.model.manifest import Manifest, PackRef, PackSeal
from dr_lib.storage.base import ObjectInfo
from dr_lib.vault.summary_cache import Known, SummaryCache
from dr_lib.vault.vault import Vault
from dr_lib.workflows.verify.stock import READERS, Copy

Use = tuple[PackRef, PackSeal | None]
"""A pack and how a manifest says it is sealed: two points that disagree about that are judged apart."""


class Needs:
    """Each pack that the points need: whose it is, and its frames as the manifests state them.

    Manifests are dropped once this is learned from them: memory grows with the frames that differ, not with the points.
    """

    def __init__(self) -> None:
        """Nothing is needed yet."""
        self.users: defaultdict[Use, list[Copy]] = defaultdict(list)
        self.frames: defaultdict[Use, set[pack.Frame]] = defaultdict(set)

    def learn(self, copy: Copy, manifest: Manifest) -> None:
        """Take in what one point needs."""
        packs = manifest.summary.packs
        for ref in packs:
            self.users[ref, ref.seal].append(copy)
        for file in (*manifest.files, *manifest.attachments):
            for f in file.frames:
                ref = packs[f.pack]
                self.frames[ref, ref.seal].add(pack.Frame(f.digest, f.codec, f.seal, f.raw, f.offset, f.length))


def read_whole(vault: Vault, asset: str, points: Iterable[str], needs: Needs) -> list[Copy]:
    """Every manifest, read and opened; what is wrong with one is a finding of its point."""
    return [_read_whole(vault, asset, point, needs) for point in points]


def read_clear(
    vault: Vault, asset: str, points: Iterable[str], listed: Mapping[str, ObjectInfo], cache: SummaryCache
) -> list[Copy]:
    """The clear part of every manifest: from the cache where the object is still the one that was read, else read now.

    The cache then holds exactly what was listed and is sound. Costs one get for each manifest never seen before.
    """
    kept: dict[str, Known] = {}
    with ThreadPoolExecutor(READERS) as pool:
        copies = list(pool.map(lambda point: _read_clear(vault, asset, point, listed.get(point), cache, kept), points))
    cache.save({info.key: known for info in listed.values() if (known := kept.get(info.key) or cache.find(info))})
    return copies


def _read_whole(vault: Vault, asset: str, point: str, needs: Needs) -> Copy:
    copy = Copy(point)
    try:
        data = vault.manifest_bytes(asset, point)
        copy.manifest_sha256 = hashlib.sha256(data).hexdigest()
        summary = vault.parse_clear(asset, point, data)
        copy.packs, copy.keys = summary.packs, summary.keys
        manifest = vault.parse_manifest(asset, point, data)
        copy.packs = manifest.summary.packs
        needs.learn(copy, manifest)
    except (IntegrityError, NotFound) as error:
        _doubt(copy, error)
    return copy


def _read_clear(
    vault: Vault, asset: str, point: str, info: ObjectInfo | None, cache: SummaryCache, kept: dict[str, Known]
) -> Copy:
    copy = Copy(point)
    known = cache.find(info) if info is not None else None
    if known is not None:
        try:
            _take(copy, vault, asset, point, known)
        except IntegrityError:
            pass  # a cache is not believed: the vault is asked
        else:
            return copy
    try:
        data = vault.manifest_bytes(asset, point)
        copy.manifest_sha256 = hashlib.sha256(data).hexdigest()
        vault.parse_clear(asset, point, data)
        known = Known(len(data), info.tag if info else "", copy.manifest_sha256, manifest_format.clear_part(data))
        _take(copy, vault, asset, point, known)
    except (IntegrityError, NotFound) as error:
        _doubt(copy, error)
        return copy
    if info is not None and info.size == len(data):
        kept[layout.manifest_key(asset, point)] = known
    return copy


def _doubt(copy: Copy, error: DrError) -> None:
    copy.findings.append(str(error))
    copy.sound = False


def _take(copy: Copy, vault: Vault, asset: str, point: str, known: Known) -> None:
    summary = vault.parse_summary(asset, point, known.envelope)
    copy.packs, copy.keys, copy.manifest_sha256 = summary.packs, summary.keys, known.sha256

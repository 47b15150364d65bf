"""Verification: re-read a vault's copies and leave the result in the vault, where no catalog can lose it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from dr_lib.clock import Clock, monotonic
from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import layout, pack
from dr_lib.model.copy import Verification
from dr_lib.model.manifest import Manifest, PackRef, PackSeal
from dr_lib.progress import Progress
from dr_lib.vault.pack_reader import fetch_pack, open_frame
from dr_lib.vault.run_keys import newest_generations
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import record_verification
from dr_lib.vault.writers import refuse_unsigned

STREAMS: Final = 2
"""Packs in flight; each takes its size in memory."""


_Use = tuple[PackRef, PackSeal | None]
"""A pack and how a manifest says it is sealed: two points that disagree about that are judged apart."""


class Mode(StrEnum):
    """`structure`: the manifest is sound and every pack has its size. `full`: also every byte is read and decoded."""

    STRUCTURE = "structure"
    FULL = "full"


@dataclass(slots=True)
class _Copy:
    """What is known so far about one point in this vault."""

    point: str
    manifest_sha256: str = hashlib.sha256(b"").hexdigest()
    packs: tuple[PackRef, ...] = ()
    keys: tuple[str, ...] = ()
    bytes_read: int = 0
    findings: list[str] = field(default_factory=list)


class _Needs:
    """Each pack that the points need: whose it is, and its frames as the manifests state them.

    Manifests are dropped once this is learned from them: memory grows with the frames that differ, not with the points.
    """

    def __init__(self) -> None:
        self.users: defaultdict[_Use, list[_Copy]] = defaultdict(list)
        self.frames: defaultdict[_Use, set[pack.Frame]] = defaultdict(set)

    def learn(self, copy: _Copy, manifest: Manifest) -> None:
        packs = manifest.summary.packs
        for ref in packs:
            self.users[ref, ref.seal].append(copy)
        for file in (*manifest.files, *manifest.attachments):
            for f in file.frames:
                ref = packs[f.pack]
                self.frames[ref, ref.seal].add(pack.Frame(f.digest, f.codec, f.seal, f.raw, f.offset, f.length))


def verify(
    vault: Vault, asset: str, points: Sequence[str], mode: Mode, progress: Progress, clock: Clock
) -> tuple[Verification, ...]:
    """Verify points of one asset in one vault; one event a point is recorded in it, whatever was found.

    Damage is a result, not an error: look at `Verification.ok`. A pack that several points share is read once.
    Raises `StoreUnavailable` (6) when the store stops answering; nothing is recorded then.
    """
    started = monotonic()
    refuse_unsigned(vault)
    needs = _Needs()
    copies = [_read_manifest(vault, asset, point, needs, mode) for point in points]
    sizes = vault.packs()
    keys = newest_generations(vault.store) if vault.access.sealed else {}
    for copy in copies:
        _check_sizes(copy, sizes)
        copy.findings += [f"run key {key} is gone" for key in copy.keys if key not in keys]
    if mode is Mode.FULL:
        _read_packs(vault, needs, sizes, progress)
    seconds = monotonic() - started
    results = tuple(_result(vault.region, asset, copy, mode, clock(), seconds) for copy in copies)
    for result in results:
        record_verification(vault, result)
    return results


def _read_manifest(vault: Vault, asset: str, point: str, needs: _Needs, mode: Mode) -> _Copy:
    """Read a manifest; for its structure alone, and without an identity, the clear part of a sealed one has to do."""
    copy = _Copy(point)
    try:
        data = vault.manifest_bytes(asset, point)
        copy.manifest_sha256 = hashlib.sha256(data).hexdigest()
        summary = vault.parse_clear(asset, point, data)
        copy.packs, copy.keys = summary.packs, summary.keys
        if mode is Mode.FULL or vault.keys.identities or not vault.access.sealed:
            manifest = vault.parse_manifest(asset, point, data)
            copy.packs = manifest.summary.packs
            needs.learn(copy, manifest)
    except (IntegrityError, NotFound) as error:
        copy.findings.append(str(error))
    return copy


def _check_sizes(copy: _Copy, sizes: Mapping[str, int]) -> None:
    for ref in copy.packs:
        found = sizes.get(ref.sha256)
        if found is None:
            copy.findings.append(f"pack {ref.sha256} is gone")
        elif found != ref.size:
            copy.findings.append(f"pack {ref.sha256} has {found} bytes where {ref.size} are right")


def _read_packs(vault: Vault, needs: _Needs, sizes: Mapping[str, int], progress: Progress) -> None:
    """Read every pack of the right size once; a damaged one is a finding of each point that needs it."""
    uses = sorted(
        (use for use in needs.users if sizes.get(use[0].sha256) == use[0].size), key=lambda use: use[0].sha256
    )
    progress.start(sum(ref.size for ref, _ in uses), f"verify {vault.region}")

    def read(use: _Use) -> str | None:
        finding = _damage(vault, use[0], needs.frames[use])
        progress.advance(use[0].size)
        return finding

    with ThreadPoolExecutor(STREAMS) as pool:
        for use, finding in zip(uses, pool.map(read, uses), strict=True):
            for copy in needs.users[use]:
                copy.bytes_read += use[0].size
                copy.findings += [finding] if finding is not None else []
    progress.finish()


def _damage(vault: Vault, ref: PackRef, frames: set[pack.Frame]) -> str | None:
    """What is wrong with a pack, None when its name, its own table and every stated frame hold."""
    try:
        data = memoryview(fetch_pack(vault, ref))
        _check_own_table(vault, ref, data)
        key = vault.pack_key(ref.seal)
        for frame in frames:
            open_frame(data[frame.offset : frame.offset + frame.length], frame, key)
    except (IntegrityError, NotFound) as error:
        return f"pack {ref.sha256}: {error.what}"
    return None


def _check_own_table(vault: Vault, ref: PackRef, data: memoryview) -> None:
    """A pack's own table holds; that of a sealed one opens for writers alone, so that its digest has to do."""
    where = vault.where(layout.pack_key(ref.sha256))
    outline = pack.outline(data, where)
    pack.check_table(outline, where)
    if outline.seal != ref.seal:
        raise IntegrityError("a pack is sealed in another way than the manifest says", where=where)
    if outline.seal is None:
        pack.frames(outline, where)


def _result(region: str, asset: str, copy: _Copy, mode: Mode, finished_at: datetime, seconds: float) -> Verification:
    return Verification(
        region=region,
        asset=asset,
        point=copy.point,
        manifest_sha256=copy.manifest_sha256,
        mode=mode.value,
        finished_at=finished_at,
        seconds=seconds,
        bytes_read=copy.bytes_read,
        findings=tuple(copy.findings),
    )

"""Verification: re-read a vault's copies and leave the result in the vault, where no catalog can lose it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from dr_lib.clock import Clock, monotonic
from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import layout, pack
from dr_lib.model.copy import Verification
from dr_lib.model.manifest import FrameRef, Manifest
from dr_lib.progress import Progress
from dr_lib.vault.pack_reader import fetch_pack, open_frame
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import record_verification

STREAMS: Final = 2
"""Packs in flight; each takes its size in memory."""


class Mode(StrEnum):
    """`structure`: the manifest is sound and every pack has its size. `full`: also every byte is read and decoded."""

    STRUCTURE = "structure"
    FULL = "full"


@dataclass(slots=True)
class _Copy:
    """What is known so far about one point in this vault."""

    point: str
    manifest_sha256: str = hashlib.sha256(b"").hexdigest()
    manifest: Manifest | None = None
    findings: list[str] = field(default_factory=list)


def verify(
    vault: Vault, asset: str, points: Sequence[str], mode: Mode, progress: Progress, clock: Clock
) -> tuple[Verification, ...]:
    """Verify points of one asset in one vault; one event a point is recorded in it, whatever was found.

    Damage is a result, not an error: look at `Verification.ok`. A pack that several points share is read once.
    Raises `StoreUnavailable` (6) when the store stops answering; nothing is recorded then.
    """
    started = monotonic()
    copies = [_read_manifest(vault, asset, point) for point in points]
    sizes = vault.packs()
    for copy in copies:
        _check_sizes(copy, sizes)
    if mode is Mode.FULL:
        _read_packs(vault, copies, sizes, progress)
    seconds = monotonic() - started
    results = tuple(_result(vault, asset, copy, mode, clock, seconds) for copy in copies)
    for result in results:
        record_verification(vault, result)
    return results


def _read_manifest(vault: Vault, asset: str, point: str) -> _Copy:
    copy = _Copy(point)
    try:
        data = vault.manifest_bytes(asset, point)
        copy.manifest_sha256 = hashlib.sha256(data).hexdigest()
        copy.manifest = vault.parse_manifest(asset, point, data)
    except (IntegrityError, NotFound) as error:
        copy.findings.append(str(error))
    return copy


def _check_sizes(copy: _Copy, sizes: Mapping[str, int]) -> None:
    if copy.manifest is None:
        return
    for ref in copy.manifest.summary.packs:
        found = sizes.get(ref.sha256)
        if found is None:
            copy.findings.append(f"pack {ref.sha256} is gone")
        elif found != ref.size:
            copy.findings.append(f"pack {ref.sha256} has {found} bytes where {ref.size} are right")


def _read_packs(vault: Vault, copies: Sequence[_Copy], sizes: Mapping[str, int], progress: Progress) -> None:
    """Read every pack that the points need once; a damaged one is a finding of each point that needs it."""
    users: defaultdict[str, list[_Copy]] = defaultdict(list)
    frames: defaultdict[str, set[FrameRef]] = defaultdict(set)
    for copy in copies:
        for name, wanted in _frames_by_pack(copy.manifest).items():
            users[name].append(copy)
            frames[name] |= wanted
    names = sorted(name for name in users if name in sizes)
    progress.start(sum(sizes[name] for name in names), f"verify {vault.region}")

    def read(name: str) -> str | None:
        finding = _damage(vault, name, frames[name])
        progress.advance(sizes[name])
        return finding

    with ThreadPoolExecutor(STREAMS) as pool:
        for name, finding in zip(names, pool.map(read, names), strict=True):
            if finding is not None:
                for copy in users[name]:
                    copy.findings.append(finding)
    progress.finish()


def _frames_by_pack(manifest: Manifest | None) -> dict[str, set[FrameRef]]:
    """Every frame that a manifest states, under its pack's name; packs without one included."""
    if manifest is None:
        return {}
    packs = manifest.summary.packs
    found: dict[str, set[FrameRef]] = {ref.sha256: set() for ref in packs}
    for file in (*manifest.files, *manifest.attachments):
        for frame in file.frames:
            found[packs[frame.pack].sha256].add(frame)
    return found


def _damage(vault: Vault, name: str, frames: set[FrameRef]) -> str | None:
    """What is wrong with a pack, None when its name, its own table and every stated frame hold."""
    try:
        data = memoryview(fetch_pack(vault, name))
        pack.parse(data, vault.where(layout.pack_key(name)))
        for frame in frames:
            stored = data[frame.offset : frame.offset + frame.length]
            open_frame(stored, frame.digest, frame.codec, frame.seal, frame.raw)
    except (IntegrityError, NotFound) as error:
        return f"pack {name}: {error.what}"
    return None


def _result(vault: Vault, asset: str, copy: _Copy, mode: Mode, clock: Clock, seconds: float) -> Verification:
    packs = copy.manifest.summary.packs if copy.manifest is not None else ()
    return Verification(
        region=vault.region,
        asset=asset,
        point=copy.point,
        manifest_sha256=copy.manifest_sha256,
        mode=mode.value,
        finished_at=clock(),
        seconds=seconds,
        bytes_read=sum(ref.size for ref in packs) if mode is Mode.FULL else 0,
        findings=tuple(copy.findings),
    )

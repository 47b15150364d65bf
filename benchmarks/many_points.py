"""A vault with many small points, made without a backup: for tests and measures of what grows with their number."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from blake3 import blake3

from dr_lib.format import layout, pack
from dr_lib.format import manifest as manifest_format
from dr_lib.model.manifest import DirectoryEntry, FileEntry, FrameRef, Manifest, PackRef, PointSummary
from dr_lib.vault.vault import Vault

START = datetime(2020, 1, 1, tzinfo=UTC)
SHARED = 3
"""Packs that a point shares with the points around it."""


def fill(vault: Vault, asset: str, count: int, threads: int = 16) -> None:
    """Commit `count` points of one file each, hourly; each has a pack of its own and needs the three before it."""
    refs = [_ref(_pack(number)) for number in range(count)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda number: _store(vault, _pack(number)), range(count)))
        list(pool.map(lambda number: _commit(vault, asset, number, refs), range(count)))


def _pack(number: int) -> bytes:
    raw = b"frame %012d" % number
    head = pack.head(None)
    frame = pack.Frame(blake3(raw).digest(), 0, pack.NOT_SEALED, len(raw), len(head), len(raw))
    return head + raw + pack.table([frame])


def _ref(data: bytes) -> PackRef:
    return PackRef(hashlib.sha256(data).hexdigest(), len(data))


def _store(vault: Vault, data: bytes) -> None:
    vault.store.create(layout.pack_key(_ref(data).sha256), data)


def _commit(vault: Vault, asset: str, number: int, refs: list[PackRef]) -> None:
    at = START + timedelta(hours=number)
    raw = b"frame %012d" % number
    frame = FrameRef(0, len(pack.HEAD), len(raw), len(raw), 0, pack.NOT_SEALED, blake3(raw).digest())
    packs = tuple(refs[max(0, number - SHARED) : number + 1][::-1])
    summary = PointSummary(asset, layout.point_id(at, number.to_bytes(4)), "model", at, len(raw), len(raw), 1, packs)
    file = FileEntry("f", 0o600, 0, len(raw), hashlib.sha256(raw).digest(), blake3(raw).digest(), (frame,))
    root = (DirectoryEntry(".", 0o700, 0),)
    manifest = Manifest(replace(summary), (file,), root, (), (), (), {}, {})
    vault.commit(asset, summary.point, manifest_format.dump(manifest, None, vault.keys.signer))

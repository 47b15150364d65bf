"""What a run need not read: files that stand as they stood in the run before, and whose packs are still there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.model.manifest import PackRef, TensorEntry, repacked
from dr_lib.sources.base import SourceFile, SourceListing
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.records import (
    KEPT,
    BackupPlan,
    StoredPart,
    StoredPiece,
    load_part,
    load_plan,
    shard_name,
)

FRESH: Final = timedelta(seconds=2)
"""A file that changed so shortly before it was listed may have changed again within the same tick of its clock."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """A committed run: its plan, and the parts that hold its files."""

    plan: BackupPlan
    parts: tuple[StoredPart, ...]


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file of a past run, wherever its pieces are."""

    file: SourceFile
    pieces: tuple[tuple[StoredPart, StoredPiece], ...]


def last_run(vault: Vault, asset: str) -> PastRun | None:
    """The run of the newest point that is committed here; None when there is none whose records can be believed.

    A point that was replicated hither has no run here.
    """
    committed = {name.point for name in vault.points(asset)}
    planned = [name.point for name in vault.pending(asset) if name.point in committed]
    if not planned:
        return None
    try:
        return load_run(vault, asset, planned[-1])
    except (IntegrityError, NotFound):
        return None  # records are working memory: without them everything is read again


def load_run(vault: Vault, asset: str, point: str) -> PastRun:
    """A run by its records; `NotFound` or `IntegrityError` when one of them is gone or cannot be believed."""
    plan = load_plan(vault, asset, point)
    names = [shard_name(number) for number in range(len(plan.shards))] + ([KEPT] if plan.kept else [])
    return PastRun(plan, tuple(load_part(vault, plan, name) for name in names))


def kept_part(past: PastRun, listing: SourceListing, source: str, present: Mapping[str, int]) -> StoredPart:
    """The files of `listing` that stand as `past` saw them, as a part of a new run. Empty for another source.

    A file stands when path, size, mtime and tag (inode and ctime; an S3 ETag) are the same, it was not fresh when it
    was listed, and every pack of it is `present` with its size.
    """
    if source != past.plan.source:
        return StoredPart((), (), (), 0, 0)
    stored = _stored(past, present)
    tensors: defaultdict[str, list[TensorEntry]] = defaultdict(list)
    for part in past.parts:
        for tensor in part.tensors:
            tensors[tensor.file].append(tensor)
    packs: dict[PackRef, int] = {}
    pieces: list[StoredPiece] = []
    kept_tensors: list[TensorEntry] = []
    for number, file in enumerate(listing.files):
        known = stored.get(file.path)
        if known is not None and _stands(file, known.file):
            pieces += [_moved(piece, part, number, packs) for part, piece in known.pieces]
            kept_tensors += tensors.get(file.path, ())
    return StoredPart(tuple(packs), tuple(pieces), tuple(kept_tensors), 0, 0)


def _stored(past: PastRun, present: Mapping[str, int]) -> dict[str, _Stored]:
    """The files of a past run that can still be restored and were not fresh, by path."""
    pieces: defaultdict[int, list[tuple[StoredPart, StoredPiece]]] = defaultdict(list)
    lost: set[int] = set()
    for part in past.parts:
        gone = {number for number, pack in enumerate(part.packs) if present.get(pack.sha256) != pack.size}
        for piece in part.pieces:
            pieces[piece.file].append((part, piece))
            if gone and any(frame.pack in gone for frame in piece.frames):
                lost.add(piece.file)
    settled = (past.plan.created_at - FRESH).timestamp() * 1e9
    files = enumerate(past.plan.listing.files)
    return {
        file.path: _Stored(file, tuple(pieces[number]))
        for number, file in files
        if number in pieces and number not in lost and file.mtime_ns < settled
    }


def _stands(file: SourceFile, before: SourceFile) -> bool:
    return (file.size, file.mtime_ns, file.tag) == (before.size, before.mtime_ns, before.tag)


def _moved(piece: StoredPiece, part: StoredPart, file: int, packs: dict[PackRef, int]) -> StoredPiece:
    frames = tuple(repacked(f, packs.setdefault(part.packs[f.pack], len(packs))) for f in piece.frames)
    return StoredPiece(file, piece.start, frames, piece.sha256, piece.blake3, piece.form)


def is_same(past: PastRun, listing: SourceListing, kept: StoredPart) -> bool:
    """Whether nothing at all differs from the past run: every file is kept, and so are directories and links."""
    return listing == past.plan.listing and len(kept_files(kept)) == len(listing.files) > 0


def kept_files(part: StoredPart) -> Sequence[int]:
    """Numbers of the files that a kept part holds."""
    return sorted({piece.file for piece in part.pieces})

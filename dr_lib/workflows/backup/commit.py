"""Last step of a backup: look at the source once more, put the parts together, create the manifest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dr_lib.errors import DrError, IntegrityError, NotFound, Refused, SourceUnstable
from dr_lib.format import layout
from dr_lib.format import manifest as manifest_format
from dr_lib.format.manifest_check import check
from dr_lib.model.gates import Gates
from dr_lib.model.manifest import FileEntry, FrameRef, Manifest, PackRef, PointSummary, repacked
from dr_lib.sources.base import Source, SourceFile
from dr_lib.sources.freeze import changes
from dr_lib.storage.base import ObjectInfo
from dr_lib.vault.claims import claim, claim_of, refuse_absent
from dr_lib.vault.closing import close_run
from dr_lib.vault.holds import quarantines
from dr_lib.vault.locking import keep_locked
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.gate import gate
from dr_lib.workflows.backup.kept import PastRun
from dr_lib.workflows.backup.records import (
    KEPT,
    PROOF,
    BackupPlan,
    GateRecord,
    StoredPart,
    StoredPiece,
    load_gate,
    load_part,
    shard_name,
)


@dataclass(frozen=True, slots=True)
class Committed:
    """A committed point; `new_bytes` is what this run stored for it.

    `judged` is how the gates found it, None where they were not asked; `quarantined` says why it is not trusted.
    """

    summary: PointSummary
    new_bytes: int
    note: str
    judged: GateRecord | None = None
    quarantined: tuple[str, ...] = ()


def commit_backup(
    vault: Vault,
    source: Source,
    plan: BackupPlan,
    environment: Mapping[str, str],
    at_hand: Mapping[str, StoredPart] | None = None,
    gates: Gates | None = None,
    past: PastRun | None = None,
) -> Committed:
    """Commit the run's point, or say again that it is committed.

    `at_hand` are parts by name that this process has stored itself; the others are read from the vault. Where there
    are `gates` the run is judged first, and an anomalous point is quarantined before it is committed (see `gate`).

    The source is listed again first: had anything moved since the plan, no point is committed (`SourceUnstable`, 8).
    A part that is missing raises `Refused`; a pack that the store no longer has, `IntegrityError`. `Refused` as well
    when a prune has given the run up for dead, or is deleting what it needs.
    """
    names = [shard_name(number) for number in range(len(plan.shards))] + ([KEPT] if plan.kept else [])
    finished = at_hand or {}
    parts = [finished.get(name) or _finished(vault, plan, name) for name in names]
    proof = finished.get(PROOF) or _finished(vault, plan, PROOF)
    new_bytes = sum(part.new_bytes for part in (*parts, proof))
    try:
        return _again(vault, plan, new_bytes, proof.note)
    except NotFound:
        pass
    _refuse_moved(source, plan)
    manifest = _manifest(plan, parts, proof, environment)
    judged = None if gates is None else gate(vault, plan, parts, proof, gates, past)
    run_key = vault.run_key()
    claimed = claim_of(manifest.summary.packs, [] if run_key is None else [run_key.id])
    close_run(vault, plan.asset, plan.point)
    claim(vault, plan.asset, plan.point, claimed)
    present = refuse_absent(vault, manifest.summary.packs, claimed.keys)
    check(manifest, vault.where(layout.manifest_key(plan.asset, plan.point)))
    data = manifest_format.dump(manifest, run_key, vault.keys.signer)
    keep_locked(vault, manifest.summary, present, _stored_since_the_plan(vault, plan, present))
    try:
        vault.commit(plan.asset, plan.point, data)
    except Refused:
        # Another worker committed this run with the same content, its own environment and its own run key.
        if replace(vault.summary(plan.asset, plan.point), keys=()) != manifest.summary:
            raise
    return Committed(manifest.summary, new_bytes, proof.note, judged, judged.findings if judged else ())


def _again(vault: Vault, plan: BackupPlan, new_bytes: int, note: str) -> Committed:
    """What is to be said of a point that is committed: whether it is trusted may have changed since."""
    summary = vault.summary(plan.asset, plan.point)
    found = quarantines(vault, plan.asset).get(plan.point)
    try:
        judged = load_gate(vault, plan.asset, plan.point)
    except (IntegrityError, NotFound):
        judged = None
    if found is None:
        return Committed(summary, new_bytes, note, judged)
    unread = ("it is quarantined, and why cannot be read any more",)
    return Committed(summary, new_bytes, note, judged, (judged and judged.findings) or found.findings or unread)


def _finished(vault: Vault, plan: BackupPlan, name: str) -> StoredPart:
    try:
        return load_part(vault, plan, name)
    except NotFound as error:
        raise Refused(
            f"{name} of {plan.asset}/{plan.point} is not stored yet",
            where=vault.store.label,
            hint="finish it, then commit",
        ) from error


def _refuse_moved(source: Source, plan: BackupPlan) -> None:
    try:
        moved = changes(plan.listing, source.listing())
    except NotFound as error:
        raise SourceUnstable("the source went away during the backup", where=source.url) from error
    if moved:
        raise SourceUnstable(
            f"the source changed during the backup: {'; '.join(moved[:5])}"
            + (f" and {len(moved) - 5} more" if len(moved) > 5 else ""),
            where=source.url,
            hint="nothing was committed; wait until nothing writes there, then back up again",
        )


def _stored_since_the_plan(vault: Vault, plan: BackupPlan, packs: Mapping[str, ObjectInfo]) -> set[str]:
    """Packs that are no older than the run, by the store's own clock."""
    if vault.lock is None:
        return set()
    begun = vault.store.head(layout.plan_key(plan.asset, plan.point)).modified_at
    return {name for name, info in packs.items() if info.modified_at >= begun}


def _manifest(plan: BackupPlan, parts: list[StoredPart], proof: StoredPart, environment: Mapping[str, str]) -> Manifest:
    packs = _merge_packs((*parts, proof))
    pieces = [piece for part in parts for piece in _renumbered(part, packs)]
    files = _files(plan.listing.files, pieces)
    attachments = _files(
        tuple(SourceFile(name, 0o600, 0, 0, "") for name in proof.names), _renumbered(proof, packs), sized=False
    )
    frames = {(f.pack, f.offset): f.length for file in (*files, *attachments) for f in file.frames}
    summary = PointSummary(
        asset=plan.asset,
        point=plan.point,
        kind=plan.kind,
        created_at=plan.created_at,
        logical_bytes=sum(f.size for f in files),
        stored_bytes=sum(frames.values()),
        files=len(files),
        packs=tuple(packs),
    )
    tensors = sorted((t for part in parts for t in part.tensors), key=lambda t: (t.file, t.offset, t.name))
    noted = {"proof": proof.note or "recorded"}
    return Manifest(
        summary=summary,
        files=files,
        directories=plan.listing.directories,
        links=plan.listing.links,
        tensors=tuple(tensors),
        attachments=attachments,
        environment=dict(environment) | noted,
        source={"url": plan.source},
    )


def _merge_packs(parts: Iterable[StoredPart]) -> dict[PackRef, int]:
    packs: dict[PackRef, int] = {}
    for part in parts:
        for pack in part.packs:
            packs.setdefault(pack, len(packs))
    return packs


def _renumbered(part: StoredPart, packs: Mapping[PackRef, int]) -> list[StoredPiece]:
    numbers = [packs[pack] for pack in part.packs]
    if numbers == list(range(len(numbers))):
        return list(part.pieces)
    return [
        StoredPiece(p.file, p.start, tuple(repacked(f, numbers[f.pack]) for f in p.frames), p.sha256, p.blake3, p.form)
        for p in part.pieces
    ]


def _files(listed: tuple[SourceFile, ...], pieces: list[StoredPiece], *, sized: bool = True) -> tuple[FileEntry, ...]:
    by_file: defaultdict[int, list[StoredPiece]] = defaultdict(list)
    for piece in pieces:
        by_file[piece.file].append(piece)
    return tuple(_file(file, by_file[number], sized=sized) for number, file in enumerate(listed))


def _file(file: SourceFile, pieces: list[StoredPiece], *, sized: bool) -> FileEntry:
    pieces.sort(key=lambda piece: piece.start)
    frames: list[FrameRef] = []
    size = 0
    for piece in pieces:
        if piece.start != size:
            raise DrError(f"the shards do not cover {file.path!r} exactly", hint="back up again")
        frames += piece.frames
        size += sum(f.raw for f in piece.frames)
    first = pieces[0] if pieces else None
    if first is None or first.sha256 is None or first.blake3 is None or (sized and size != file.size):
        raise DrError(f"the shards do not hold all of {file.path!r}", hint="back up again")
    return FileEntry(file.path, file.mode, file.mtime_ns, size, first.sha256, first.blake3, tuple(frames))

"""What the steps of a backup leave for each other under `runs/` of the vault, and its bytes.

Nothing here is needed to restore; everything here is gone through again at the commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import zstandard

from dr_lib.errors import AlreadyExists, IntegrityError
from dr_lib.format import canonical, entries, layout, run_record
from dr_lib.model.manifest import FrameRef, PackRef, PackSeal, TensorEntry
from dr_lib.policy.shard_plan import Piece, Shard
from dr_lib.sources.base import SourceFile, SourceListing
from dr_lib.vault.vault import Vault

Json = dict[str, Any]
T = TypeVar("T")
MAX_RECORD: Final = 1 << 30
AGAIN: Final = "back up again"


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """A frozen source and its division into shards. `point` is the id that the commit will use.

    `kept` counts the files that need not be read: they are in the part `KEPT`, and in no shard. `same_as` names the
    committed run whose source stood exactly as this one's does; it is empty when anything differs.
    """

    asset: str
    kind: str
    point: str
    created_at: datetime
    source: str
    listing: SourceListing
    shards: tuple[Shard, ...]
    kept: int = 0
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class StoredPiece:
    """A piece that is stored. `file` numbers the listing's files (or the part's `names`); digests and form of the whole
    file stand with its first piece only, None elsewhere; a record of older writers has no form."""

    file: int
    start: int
    frames: tuple[FrameRef, ...]
    sha256: bytes | None
    blake3: bytes | None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """What one shard (or the proof, or the files that were kept) holds. The frames' `pack` indexes `packs`.

    `names` are the attachments' names in the proof part and empty in a shard; `note` says why a proof is missing,
    `basis` what it depends on besides the source, so that an unchanged one need not be recorded again, `facts` what
    was seen of a dataset's tables (see `facts`).
    """

    packs: tuple[PackRef, ...]
    pieces: tuple[StoredPiece, ...]
    tensors: tuple[TensorEntry, ...]
    raw_bytes: int
    new_bytes: int
    names: tuple[str, ...] = ()
    note: str = ""
    basis: str = ""
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateRecord:
    """How a run was judged before its commit.

    `compared_with` is a point, empty when there was none to compare with; `share` says how much of the bytes was new
    against it, None without one, and `usual` what the shares of the good runs before were. `findings` name what is odd,
    `said` are the same sentences without names, `untold` says what could not be judged.
    """

    compared_with: str
    share: float | None
    usual: tuple[float, ...]
    findings: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


def save_plan(vault: Vault, plan: BackupPlan) -> None:
    """Create the plan's object. A second plan of that name is a defect of the id and raises `AlreadyExists`."""
    key = layout.plan_key(plan.asset, plan.point)
    vault.store.create(key, _protected(vault, key, _plan_json(plan)))


def load_plan(vault: Vault, asset: str, point: str) -> BackupPlan:
    """The plan of a run; `NotFound` when there is none."""
    return _parsed(vault, layout.plan_key(asset, point), _name(asset, point, PLAN), _parse_plan)


def save_part(vault: Vault, plan: BackupPlan, name: str, part: StoredPart) -> StoredPart:
    """Leave word of a finished part. When another try was faster its word stands and is returned."""
    key = layout.part_key(plan.asset, plan.point, name)
    try:
        vault.store.create(key, _protected(vault, key, _name(plan.asset, plan.point, name) | _part_json(part)))
    except AlreadyExists:
        return load_part(vault, plan, name)
    return part


def load_part(vault: Vault, plan: BackupPlan, name: str) -> StoredPart:
    """A finished part of a run; `NotFound` when it is not finished."""
    key = layout.part_key(plan.asset, plan.point, name)
    return _parsed(vault, key, _name(plan.asset, plan.point, name), _parse_part)


def check_record(vault: Vault, key: str, data: bytes) -> None:
    """Raise `IntegrityError` unless `data` is the record that its key promises. Without the writer key a sealed one is
    left alone, and so is what is no record."""
    match = _RECORD_KEY.fullmatch(key)
    if match is None or (vault.keys.seals and vault.keys.writer is None):
        return
    parse: Callable[[Json], object] = _PARSERS.get(match["part"], _parse_part)
    _parsed_from(vault, key, data, _name(match["asset"], match["point"], match["part"]), parse)


def shard_name(number: int) -> str:
    """Name of a shard's part."""
    return f"shard-{number:04d}"


_RECORD_KEY = re.compile(r"runs/(?P<asset>[a-z0-9-]+)/(?P<point>[0-9A-Za-z-]+)/(?P<part>[a-z0-9-]+)\.json\.zst")
PLAN = "plan"
PROOF = "proof"
KEPT = "kept"
GATE = "gate"


def _name(asset: str, point: str, part: str) -> Json:
    """What binds a record to its place, so that one which was put under another's key is not taken for it."""
    return {"asset": asset, "point": point, "part": part}


def save_gate(vault: Vault, plan: BackupPlan, record: GateRecord) -> GateRecord:
    """Leave word of how a run was judged. When another try was faster its word stands and is returned."""
    key = layout.part_key(plan.asset, plan.point, GATE)
    try:
        vault.store.create(key, _protected(vault, key, _name(plan.asset, plan.point, GATE) | asdict(record)))
    except AlreadyExists:
        return load_gate(vault, plan.asset, plan.point)
    return record


def load_gate(vault: Vault, asset: str, point: str) -> GateRecord:
    """How a run was judged; `NotFound` when it was not."""
    return _parsed(vault, layout.part_key(asset, point, GATE), _name(asset, point, GATE), _parse_gate)


def _parse_gate(record: Json) -> GateRecord:
    texts = (tuple(entries.text(item) for item in record[name]) for name in ("findings", "said", "untold"))
    usual = tuple(number for item in record["usual"] if (number := entries.number(item)) is not None)
    return GateRecord(entries.text(record["compared_with"]), entries.number(record["share"]), usual, *texts)


def _protected(vault: Vault, key: str, record: Json) -> bytes:
    """One zstd frame with a checksum, protected: what it says goes into the manifest."""
    frame = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(canonical.dumps(record))
    return run_record.protect(vault.keys, key, frame)


def _unpack(stored: bytes) -> bytes:
    if not 0 < zstandard.frame_content_size(stored) <= MAX_RECORD:
        raise ValueError("it claims a length that no record has")
    if not zstandard.get_frame_parameters(stored).has_checksum:
        raise ValueError("it has no checksum")
    return zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)


def _parsed(vault: Vault, key: str, name: Json, parse: Callable[[Json], T]) -> T:
    return _parsed_from(vault, key, vault.store.get(key), name, parse)


def _parsed_from(vault: Vault, key: str, stored: bytes, name: Json, parse: Callable[[Json], T]) -> T:
    where = vault.where(key)
    try:
        frame = run_record.open_record(vault.keys, key, stored, vault.access.trusted)
        record = canonical.loads(_unpack(frame), where)
        if {field: record[field] for field in name} != name:
            raise ValueError("it is another run's or another part's")
        return parse(record)
    except (*entries.ODD, zstandard.ZstdError) as error:
        raise IntegrityError(f"a run's record does not parse: {error!r}", where=where, hint=AGAIN) from error
    except IntegrityError as error:
        raise IntegrityError(error.what, where=where, hint=error.hint or AGAIN) from error


def _plan_json(plan: BackupPlan) -> Json:
    return (
        _name(plan.asset, plan.point, PLAN)
        | {
            "kind": plan.kind,
            "created_at": canonical.time_text(plan.created_at),
            "source": plan.source,
            "files": [[f.path, f.mode, f.mtime_ns, f.size, f.tag] for f in plan.listing.files],
            "directories": [entries.directory_json(d) for d in plan.listing.directories],
            "links": [entries.link_json(link) for link in plan.listing.links],
            "shards": [[[p.file, p.start, p.end] for p in shard] for shard in plan.shards],
        }
        | ({"kept": plan.kept, "same_as": plan.same_as} if plan.kept else {})
    )


def _parse_plan(record: Json) -> BackupPlan:
    files = tuple(_parse_listed(*row) for row in record["files"])
    return BackupPlan(
        asset=record["asset"],
        kind=entries.text(record["kind"]),
        point=record["point"],
        created_at=canonical.parse_time(record["created_at"]),
        source=entries.text(record["source"]),
        listing=SourceListing(
            files=files,
            directories=tuple(entries.parse_directory(item) for item in record["directories"]),
            links=tuple(entries.parse_link(item) for item in record["links"]),
        ),
        shards=tuple(tuple(_parse_shard_piece(row, len(files)) for row in shard) for shard in record["shards"]),
        kept=entries.natural(record.get("kept", 0)),
        same_as=entries.text(record.get("same_as", "")),
    )


def _parse_listed(path: object, mode: object, mtime_ns: object, size: object, tag: object) -> SourceFile:
    numbers = entries.natural(mode), entries.whole(mtime_ns), entries.natural(size)
    return SourceFile(entries.text(path), *numbers, entries.text(tag))


def _parse_shard_piece(row: list[Any], files: int) -> Piece:
    file, start, end = (entries.natural(number) for number in row)
    if file >= files or start > end:
        raise ValueError("a shard's piece is of no listed file")
    return Piece(file, start, end)


def _part_json(part: StoredPart) -> Json:
    return {
        "packs": [[pack.sha256, pack.size, *_seal_row(pack.seal)] for pack in part.packs],
        "pieces": [_piece_json(piece) for piece in part.pieces],
        "tensors": [entries.measured_json(t) for t in part.tensors],
        "raw_bytes": part.raw_bytes,
        "new_bytes": part.new_bytes,
        "names": list(part.names),
        "note": part.note,
    } | {name: value for name, value in (("basis", part.basis), ("facts", part.facts)) if value}


def _seal_row(seal: PackSeal | None) -> list[str]:
    return [] if seal is None else [seal.key, seal.salt.hex()]


def _parse_pack(name: object, size: object, *seal: object) -> PackRef:
    found = PackSeal(entries.key_id(seal[0]), entries.salt(seal[1])) if len(seal) == 2 else None
    return PackRef(entries.hash_bytes(name).hex(), entries.natural(size), found)


def _piece_json(piece: StoredPiece) -> Json:
    digests = [d.hex() if d is not None else None for d in (piece.sha256, piece.blake3)]
    return {
        "file": piece.file,
        "start": piece.start,
        "frames": [entries.frame_json(f) for f in piece.frames],
        "digests": digests,
    } | ({} if piece.form is None else {"form": piece.form})


def _parse_part(record: Json) -> StoredPart:
    packs = tuple(_parse_pack(*row) for row in record["packs"])
    pieces = tuple(_parse_piece(item) for item in record["pieces"])
    if any(frame.pack >= len(packs) for piece in pieces for frame in piece.frames):
        raise ValueError("a frame lies in a pack that is not listed")
    return StoredPart(
        packs=packs,
        pieces=pieces,
        tensors=tuple(entries.parse_tensor(item) for item in record["tensors"]),
        raw_bytes=entries.natural(record["raw_bytes"]),
        new_bytes=entries.natural(record["new_bytes"]),
        names=tuple(entries.text(name) for name in record["names"]),
        note=entries.text(record["note"]),
        basis=entries.text(record.get("basis", "")),
        facts=record.get("facts", {}),
    )


def _parse_piece(item: Json) -> StoredPiece:
    sha256, blake3 = (None if d is None else entries.hash_bytes(d) for d in item["digests"])
    return StoredPiece(
        entries.natural(item["file"]),
        entries.natural(item["start"]),
        tuple(entries.parse_frame(row) for row in item["frames"]),
        sha256,
        blake3,
        entries.text(item["form"]) if "form" in item else None,
    )


_PARSERS: Final[dict[str, Callable[[Json], object]]] = {PLAN: _parse_plan, GATE: _parse_gate}
"""Of the records that are no parts."""

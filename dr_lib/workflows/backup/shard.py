"""Second step of a backup, once a shard: read, encode, store. Idempotent: a shard that is done is not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from blake3 import blake3

from dr_lib.errors import NotFound
from dr_lib.model.manifest import FrameRef, PackRef, TensorEntry
from dr_lib.policy.shard_plan import Piece
from dr_lib.process_memory import keep_freed_memory
from dr_lib.progress import Progress
from dr_lib.sources.base import FileCut, ReadRange, Source, SourceFile, Span, TensorSpan
from dr_lib.sources.cut import cut_file, is_one_span
from dr_lib.sources.forms import HEAD, TAIL, form_of
from dr_lib.sources.tensor_meter import TensorMeter
from dr_lib.vault.chunk_index import ChunkIndex, save_index
from dr_lib.vault.pack_writer import PackWriter
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.records import BackupPlan, StoredPart, StoredPiece, load_part, save_part, shard_name

READ_BYTES = 4 << 20
Chunk = tuple[bytes, int]
"""Digest and raw length of a chunk that was handed to the pack writer."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A piece whose chunks are handed over but perhaps not stored yet."""

    piece: Piece
    chunks: tuple[Chunk, ...]
    tensors: tuple[TensorEntry, ...]
    sha256: bytes | None
    blake3: bytes | None
    form: str | None


def store_shard(
    vault: Vault, source: Source, plan: BackupPlan, number: int, index: ChunkIndex, progress: Progress
) -> StoredPart:
    """Store shard `number` of `plan` and leave its part in the vault; the part of an earlier try if there is one.

    Raises `SourceUnstable` (8) when a file is not the one that was listed. Killed anywhere, the packs that were
    stored are found again through the index and are not sent twice.
    """
    name = shard_name(number)
    try:
        return load_part(vault, plan, name)
    except NotFound:
        pass
    keep_freed_memory()
    with PackWriter(vault, index) as writer:
        read = [_read_piece(source, plan, piece, writer, progress) for piece in plan.shards[number]]
        writer.finish()
    part = _part(read, index, writer)
    save_index(vault, plan.point, name, writer.outlines)
    return save_part(vault, plan, name, part)


def store_attachments(
    vault: Vault,
    plan: BackupPlan,
    name: str,
    contents: dict[str, bytes],
    index: ChunkIndex,
    note: str,
    basis: str = "",
    facts: dict[str, Any] | None = None,
) -> StoredPart:
    """Store small named contents as a part of the run, like a shard whose files are in memory."""
    names = tuple(sorted(contents))
    with PackWriter(vault, index) as writer:
        read = [_read_content(number, contents[item], writer) for number, item in enumerate(names)]
        writer.finish()
    part = replace(_part(read, index, writer, names), note=note, basis=basis, facts=facts or {})
    save_index(vault, plan.point, name, writer.outlines)
    return save_part(vault, plan, name, part)


def _read_piece(source: Source, plan: BackupPlan, piece: Piece, writer: PackWriter, progress: Progress) -> _Read:
    file = plan.listing.files[piece.file]
    if is_one_span(file.path, file.size):
        return _read_small(source, file, piece, writer, progress)
    read = partial(source.read, file)
    cut = cut_file(file.path, read, file.size, (piece.start, piece.end))
    meter = TensorMeter(file.path, _tensors_within(cut, piece))
    whole = _WholeFile() if piece.start == 0 else None
    chunks: list[Chunk] = []
    tensors: list[TensorEntry] = []
    for span in _spans_within(cut, piece):
        raw = read(span.offset, span.length)
        chunks.append(_hand_over(writer, raw, span.dtype))
        tensors += meter.feed(span.offset, raw)
        if whole is not None:
            whole.update(raw)
        progress.advance(len(raw))
    tensors += meter.feed(piece.end, b"")
    if whole is not None:
        whole.read_on(read, piece.end, file.size)
    if whole is None:
        return _Read(piece, tuple(chunks), tuple(tensors), None, None, None)
    return _Read(piece, tuple(chunks), tuple(tensors), *whole.digests(), whole.form(has_tensors=bool(cut.tensors)))


def _read_small(source: Source, file: SourceFile, piece: Piece, writer: PackWriter, progress: Progress) -> _Read:
    """A file that is one frame: read once, and its frame's digest is its own."""
    raw = source.read(file, 0, file.size)
    digest = blake3(raw).digest()
    chunks: tuple[Chunk, ...] = ()
    if raw:
        writer.store(digest, raw)
        chunks = ((digest, len(raw)),)
    progress.advance(len(raw))
    form = form_of(raw[:HEAD], raw[-TAIL:])
    return _Read(piece, chunks, (), hashlib.sha256(raw).digest(), digest, form)


def _read_content(number: int, content: bytes, writer: PackWriter) -> _Read:
    spans = [content[at : at + READ_BYTES] for at in range(0, len(content), READ_BYTES)]
    chunks = tuple(_hand_over(writer, raw) for raw in spans)
    piece = Piece(number, 0, len(content))
    return _Read(piece, chunks, (), hashlib.sha256(content).digest(), blake3(content).digest(), None)


def _hand_over(writer: PackWriter, raw: bytes, dtype: str | None = None) -> Chunk:
    digest = blake3(raw).digest()
    writer.store(digest, raw, dtype)
    return digest, len(raw)


def _spans_within(cut: FileCut, piece: Piece) -> Iterator[Span]:
    return (span for span in cut.spans if piece.start <= span.offset < piece.end)


def _tensors_within(cut: FileCut, piece: Piece) -> tuple[TensorSpan, ...]:
    """Tensors of the piece; one without bytes belongs to the piece that ends where it stands."""
    return tuple(
        t
        for t in cut.tensors
        if piece.start < t.offset + t.length <= piece.end or (t.offset == t.length == piece.end == 0)
    )


class _WholeFile:
    """Digests and form of a whole file, taken by the piece that holds its start: digests cannot be put together."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._blake3 = blake3()
        self._head = b""
        self._tail = b""

    def update(self, raw: bytes) -> None:
        self._sha256.update(raw)
        self._blake3.update(raw)
        if len(self._head) < HEAD:
            self._head = (self._head + raw[:HEAD])[:HEAD]
        self._tail = raw[-TAIL:] if len(raw) >= TAIL else (self._tail + raw)[-TAIL:]

    def read_on(self, read: ReadRange, start: int, end: int) -> None:
        for at in range(start, end, READ_BYTES):
            self.update(read(at, min(READ_BYTES, end - at)))

    def digests(self) -> tuple[bytes, bytes]:
        return self._sha256.digest(), self._blake3.digest()

    def form(self, *, has_tensors: bool) -> str:
        return form_of(self._head, self._tail, has_tensors=has_tensors)


def _part(read: list[_Read], index: ChunkIndex, writer: PackWriter, names: tuple[str, ...] = ()) -> StoredPart:
    packs: dict[PackRef, int] = {}
    pieces = tuple(
        StoredPiece(r.piece.file, r.piece.start, _frames(r.chunks, index, packs), r.sha256, r.blake3, r.form)
        for r in read
    )
    return StoredPart(
        packs=tuple(packs),
        pieces=pieces,
        tensors=tuple(tensor for r in read for tensor in r.tensors),
        raw_bytes=sum(r.piece.end - r.piece.start for r in read),
        new_bytes=writer.new_bytes,
        names=names,
    )


def _frames(chunks: tuple[Chunk, ...], index: ChunkIndex, packs: dict[PackRef, int]) -> tuple[FrameRef, ...]:
    frames = []
    for digest, raw in chunks:
        place = index.find(digest, raw)
        assert place is not None, "a chunk that was handed over is stored after finish()"
        number = packs.setdefault(place.pack, len(packs))
        frame = place.frame
        frames.append(FrameRef(number, frame.offset, frame.length, frame.raw, frame.codec, frame.seal, digest))
    return tuple(frames)

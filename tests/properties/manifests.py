"""Sound manifests of every shape for Hypothesis, and a small one to damage by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from dr_lib.model.manifest import (
    DirectoryEntry,
    FileEntry,
    FrameRef,
    LinkEntry,
    Manifest,
    PackRef,
    PointSummary,
    TensorEntry,
    TensorStats,
)

EPOCH = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
POINT = "20260102T030405678901Z-0a0b0c0d"
DIGEST = bytes(range(32))

names = (
    st.binary(min_size=1, max_size=12)
    .map(lambda raw: raw.decode("utf-8", "surrogateescape"))
    .filter(lambda name: name not in (".", "..") and "/" not in name and "\0" not in name)
)
digests = st.binary(min_size=32, max_size=32)
times = st.integers(-(1 << 62), 1 << 62)
modes = st.integers(0, 0o1777)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def file_entry(path: str, frames: tuple[FrameRef, ...] = (), **facts: Any) -> FileEntry:
    """A file of these frames; its digests are made up."""
    entry = FileEntry(path, 0o644, 7, sum(f.raw for f in frames), DIGEST, DIGEST, frames)
    return replace(entry, **facts)


def manifest_of(
    files: tuple[FileEntry, ...] = (),
    directories: tuple[DirectoryEntry, ...] = (),
    links: tuple[LinkEntry, ...] = (),
    packs: tuple[PackRef, ...] = (),
    attachments: tuple[FileEntry, ...] = (),
    **summary: Any,
) -> Manifest:
    """A manifest whose summary fits its entries; `summary` overrides what it says."""
    stored = {(f.pack, f.offset): f.length for file in (*files, *attachments) for f in file.frames}
    facts = {
        "asset": "thing",
        "point": POINT,
        "kind": "model",
        "created_at": EPOCH,
        "logical_bytes": sum(file.size for file in files),
        "stored_bytes": sum(stored.values()),
        "files": len(files),
        "packs": packs,
    }
    root = DirectoryEntry(".", 0o755, 0)
    return Manifest(
        PointSummary(**{**facts, **summary}), files, (root, *directories), links, (), attachments, {"python": "3"}, {}
    )


def small_manifest() -> Manifest:
    """One of everything."""
    frame = FrameRef(0, 8, 90, 100, 1, 0, DIGEST)
    tensor = TensorEntry("d/f", "w", "F32", (5, 5), 0, 100, DIGEST, TensorStats(-1.5, 2.0, 0.25, 1, 2))
    made = manifest_of(
        files=(file_entry("d/f", (frame,)), file_entry("empty")),
        directories=(DirectoryEntry("d", 0o750, -1),),
        links=(LinkEntry("l", "d/f", 3),),
        packs=(PackRef("ab" * 32, 500),),
        attachments=(file_entry("golden.json", (frame,)),),
    )
    return replace(made, tensors=(tensor,))


@st.composite
def frame_refs(draw: st.DrawFn, packs: tuple[PackRef, ...]) -> FrameRef:
    """A frame within one of the packs. Frames at one place are equal, as they are in a pack."""
    number = draw(st.integers(0, len(packs) - 1))
    slot = draw(st.integers(0, packs[number].size // 64 - 1))
    return FrameRef(number, slot * 64, 1 + slot % 64, 1 + slot, slot % 2, 0, bytes([slot % 251]) * 32)


@st.composite
def file_entries(draw: st.DrawFn, path: str, packs: tuple[PackRef, ...]) -> FileEntry:
    frames = tuple(draw(st.lists(frame_refs(packs), max_size=4)))
    return file_entry(path, frames, mode=draw(modes), mtime_ns=draw(times), sha256=draw(digests), blake3=draw(digests))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Sound manifests: odd names, any bits, shared frames, links that stay inside."""
    packs = tuple(
        PackRef(draw(digests).hex(), size) for size in draw(st.lists(st.integers(64, 9000), min_size=1, max_size=3))
    )
    folders = draw(st.lists(names, unique=True, max_size=3))
    leaves = draw(st.lists(names.filter(lambda name: name not in folders), unique=True, max_size=6))
    paths = [f"{draw(st.sampled_from(folders))}/{n}" if folders and draw(st.booleans()) else n for n in leaves]
    made = manifest_of(
        files=tuple(draw(file_entries(path, packs)) for path in paths[1:]),
        directories=tuple(DirectoryEntry(path, draw(modes), draw(times)) for path in folders),
        links=tuple(LinkEntry(path, draw(names), draw(times)) for path in paths[:1]),
        packs=packs,
        attachments=(draw(file_entries("golden.json", packs)),),
        created_at=EPOCH + timedelta(microseconds=draw(st.integers(0, 10**15))),
    )
    stats = TensorStats(draw(numbers), draw(numbers), draw(numbers), 0, 3)
    tensors = tuple(TensorEntry(f.path, "t", "F32", (1,), 0, f.size, DIGEST, stats) for f in made.files)
    return replace(made, tensors=tensors, environment=draw(st.dictionaries(st.text(), st.text(), max_size=3)))

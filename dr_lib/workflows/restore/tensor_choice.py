"""Which tensors of a point are meant by `NAME` or `FILE:NAME`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from dr_lib.errors import NotFound, UsageError
from dr_lib.model.manifest import FileEntry, Manifest, TensorEntry
from dr_lib.policy.restore_plan import Piece, part_of_file


def choose_tensors(manifest: Manifest, names: Sequence[str]) -> tuple[TensorEntry, ...]:
    """The tensors of those names, each once, in the order of the names.

    `NotFound` (5) for a name that no tensor has; `UsageError` (2) for one that tensors of several files have, and when
    two chosen tensors share a name, which one set of tensors cannot hold.
    """
    chosen = dict.fromkeys(_named(manifest, name) for name in names)
    return unique_names(tuple(chosen))


def unique_names(tensors: tuple[TensorEntry, ...]) -> tuple[TensorEntry, ...]:
    """`tensors`, or `UsageError` (2) when two of them have one name."""
    files: dict[str, str] = {}
    for tensor in tensors:
        if tensor.name in files:
            both = f"{files[tensor.name]} and {tensor.file}"
            raise UsageError(f"the tensor {tensor.name!r} is in {both}", hint="take the tensors of one file at a time")
        files[tensor.name] = tensor.file
    return tensors


def pieces_of(files: dict[str, FileEntry], tensor: TensorEntry) -> tuple[Piece, ...]:
    """Where a tensor's bytes lie; `files` are the manifest's, by path."""
    return part_of_file(files[tensor.file], tensor.offset, tensor.length)


def _named(manifest: Manifest, name: str) -> TensorEntry:
    found = [t for t in manifest.tensors if t.name == name]
    found = found or [t for t in manifest.tensors if f"{t.file}:{t.name}" == name]
    if len(found) > 1:
        candidates = ", ".join(f"{tensor.file}:{tensor.name}" for tensor in found)
        raise UsageError(f"several files have a tensor {name!r}", hint=f"name one of: {candidates}")
    if not found:
        raise _not_found(manifest, name)
    return found[0]


def _not_found(manifest: Manifest, name: str) -> NotFound:
    known = list(dict.fromkeys(tensor.name for tensor in manifest.tensors))
    close = get_close_matches(name.rpartition(":")[2], known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(close)}?" if close else f"the point has {len(known)} tensors"
    point = f"{manifest.summary.asset}/{manifest.summary.point}"
    return NotFound(f"no tensor {name!r} is in {point}", hint=hint)

"""What must hold in a manifest before a single byte of it is restored. Pure; the manifest is untrusted."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from dr_lib.errors import IntegrityError
from dr_lib.format import pack
from dr_lib.model.manifest import FileEntry, Manifest
from dr_lib.policy.links import leads_outside


def check(manifest: Manifest, where: str) -> None:
    """Raise `IntegrityError` naming `where` and the first contradiction found; return None for a sound manifest."""
    for problem in problems(manifest):
        raise IntegrityError(problem, where=where, hint="this copy is not safe to restore; use another region's")


def problems(manifest: Manifest) -> Iterator[str]:
    """Everything wrong with a manifest, in plain words."""
    yield from _names(manifest)
    yield from _links(manifest)
    for file in (*manifest.files, *manifest.attachments):
        yield from _frames(file, manifest)
    yield from _totals(manifest)
    yield from _tensors(manifest)


def _names(manifest: Manifest) -> Iterator[str]:
    directories = {entry.path for entry in manifest.directories}
    leaves = [file.path for file in manifest.files] + [link.path for link in manifest.links]
    if "." not in directories:
        yield "the manifest has no root directory"
    for path in (*leaves, *sorted(directories - {"."})):
        if not is_safe(path):
            yield f"the path {path!r} leads outside the tree"
        elif (posixpath.dirname(path) or ".") not in directories:
            yield f"the path {path!r} lies in a directory that is not listed"
    if len(set(leaves)) != len(leaves) or directories.intersection(leaves):
        yield "two entries have one path"
    if len(directories) != len(manifest.directories):
        yield "a directory stands twice"
    attached = [entry.path for entry in manifest.attachments]
    if not all(is_safe(path) and "/" not in path for path in attached) or len(set(attached)) != len(attached):
        yield "an attachment has a name that cannot be"


def _links(manifest: Manifest) -> Iterator[str]:
    """Links must stay inside however they lead through each other, and nothing may lie below one."""
    texts = {link.path: link.target for link in manifest.links}
    for path, target in texts.items():
        if not target or "\0" in target or leads_outside(path, texts):
            yield f"the link {path!r} leads outside the tree"


def _frames(file: FileEntry, manifest: Manifest) -> Iterator[str]:
    if sum(frame.raw for frame in file.frames) != file.size:
        yield f"the frames of {file.path!r} do not add up to its size"
    packs = manifest.summary.packs
    for frame in file.frames:
        if frame.pack >= len(packs) or frame.offset + frame.length > packs[frame.pack].size:
            yield f"a frame of {file.path!r} lies outside its pack"
        elif not 0 < frame.raw <= pack.MAX_RAW:
            yield f"a frame of {file.path!r} claims {frame.raw} bytes"


def _totals(manifest: Manifest) -> Iterator[str]:
    if manifest.summary.files != len(manifest.files):
        yield "the summary counts other files than the body lists"
    if manifest.summary.logical_bytes != sum(file.size for file in manifest.files):
        yield "the summary counts other bytes than the body lists"


def _tensors(manifest: Manifest) -> Iterator[str]:
    sizes = {file.path: file.size for file in manifest.files}
    for tensor in manifest.tensors:
        if tensor.offset + tensor.length > sizes.get(tensor.file, -1):
            yield f"the tensor {tensor.name!r} lies outside its file"


def is_safe(path: str) -> bool:
    """True for a relative path that names something below the root, spelled in the one normal way."""
    return (
        path not in ("", ".")
        and not path.startswith(("/", "../"))
        and path != ".."
        and "\0" not in path
        and posixpath.normpath(path) == path
    )

"""What must hold in a manifest before a single byte of it is restored. Pure; the manifest is untrusted."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Final

from dr_lib.errors import IntegrityError
from dr_lib.format import pack
from dr_lib.model.manifest import DirectoryEntry, FileEntry, Manifest
from dr_lib.policy.links import leads_outside

KEPT_MODE: Final = 0o1777
"""Permissions and the sticky bit: what sources keep of a mode."""
MAX_TIME: Final = 1 << 63
"""Nanoseconds before and after 1970."""
MAX_NAME: Final = 255
MAX_PATH: Final = 4095
"""Bytes that Linux takes for one name and for a path (limits.h); also bounds the work that one link can make."""


def check(manifest: Manifest, where: str) -> None:
    """Raise `IntegrityError` naming `where` and the first contradiction found; return None for a sound manifest."""
    for problem in problems(manifest):
        raise IntegrityError(problem, where=where, hint="this copy is not safe to restore; use another region's")


def problems(manifest: Manifest) -> Iterator[str]:
    """Everything wrong with a manifest, in plain words."""
    yield from _names(manifest)
    yield from _facts(manifest)
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


def _facts(manifest: Manifest) -> Iterator[str]:
    """Modes grant nothing that no source gives (setuid, setgid), and times are such that a file system can hold."""
    entries: tuple[FileEntry | DirectoryEntry, ...] = (*manifest.files, *manifest.directories, *manifest.attachments)
    for entry in entries:
        if entry.mode & ~KEPT_MODE:
            yield f"{entry.path!r} has the mode {entry.mode:o}, which no backup keeps"
    times = [(entry.path, entry.mtime_ns) for entry in (*entries, *manifest.links)]
    for path, mtime_ns in times:
        if not -MAX_TIME <= mtime_ns < MAX_TIME:
            yield f"{path!r} has a time that no file system keeps"


def _links(manifest: Manifest) -> Iterator[str]:
    """Links must stay inside however they lead through each other, and nothing may lie below one."""
    texts = {link.path: link.target for link in manifest.links}
    for path, target in texts.items():
        if not _fits(target, MAX_PATH) or leads_outside(path, texts):
            yield f"the link {path!r} leads outside the tree"


def _frames(file: FileEntry, manifest: Manifest) -> Iterator[str]:
    if sum(frame.raw for frame in file.frames) != file.size:
        yield f"the frames of {file.path!r} do not add up to its size"
    packs = manifest.summary.packs
    for frame in file.frames:
        if not 0 < frame.length <= pack.MAX_RAW:
            yield f"a frame of {file.path!r} claims {frame.length} stored bytes"
        elif frame.pack >= len(packs) or frame.offset + frame.length > packs[frame.pack].size:
            yield f"a frame of {file.path!r} lies outside its pack"
        elif not 0 < frame.raw <= pack.MAX_RAW:
            yield f"a frame of {file.path!r} claims {frame.raw} bytes"
        elif frame.seal != (pack.NOT_SEALED if packs[frame.pack].seal is None else pack.SEALED):
            yield f"a frame of {file.path!r} is not sealed as its pack is"


def _totals(manifest: Manifest) -> Iterator[str]:
    if manifest.summary.files != len(manifest.files):
        yield "the summary counts other files than the body lists"
    if manifest.summary.logical_bytes != sum(file.size for file in manifest.files):
        yield "the summary counts other bytes than the body lists"
    frames = {(f.pack, f.offset): f.length for file in (*manifest.files, *manifest.attachments) for f in file.frames}
    if manifest.summary.stored_bytes != sum(frames.values()):
        yield "the summary counts other stored bytes than the frames take"
    if any(ref.size > pack.MAX_PACK for ref in manifest.summary.packs):
        yield "a pack is larger than any pack is"


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
        and posixpath.normpath(path) == path
        and _fits(path, MAX_PATH)
        and all(_fits(part, MAX_NAME) for part in path.split("/"))
    )


def _fits(text: str, limit: int) -> bool:
    """Whether a file system takes a text as a name or a link: not empty, no NUL, bytes can be made of it."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return 0 < len(data) <= limit and b"\0" not in data

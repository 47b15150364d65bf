"""The shape of a restored tree: directories before the bytes, digests, links, modes and times after them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blake3 import blake3

from dr_lib.errors import IntegrityError
from dr_lib.model.manifest import DirectoryEntry, FileEntry, LinkEntry

CHECKERS = 4
READ_BYTES = 4 << 20


def make_directories(root: Path, directories: Sequence[DirectoryEntry]) -> None:
    """Make every directory, private until `finish_tree` gives it its mode."""
    for entry in sorted(directories, key=lambda d: d.path):
        if entry.path != ".":
            (root / entry.path).mkdir(mode=0o700)


def check_files(root: Path, files: Sequence[FileEntry]) -> None:
    """Read every file back and compare it with its digest; `IntegrityError` naming the first that differs."""
    with ThreadPoolExecutor(CHECKERS) as pool:
        for file, digest in zip(files, pool.map(lambda f: _digest(root / f.path), files), strict=True):
            if digest != file.blake3:
                raise IntegrityError(
                    f"the restored file {file.path!r} is not the one that was backed up",
                    where=str(root),
                    hint="check this disk",
                )


def finish_tree(
    root: Path, files: Sequence[FileEntry], links: Sequence[LinkEntry], directories: Sequence[DirectoryEntry]
) -> None:
    """Links, modes and times, directories last and deepest first so that filling them does not touch their times."""
    for link in links:
        (root / link.path).symlink_to(link.target)
        os.utime(root / link.path, ns=(link.mtime_ns, link.mtime_ns), follow_symlinks=False)
    entries: list[FileEntry | DirectoryEntry] = [*files, *sorted(directories, key=lambda d: d.path, reverse=True)]
    for entry in sorted(entries, key=lambda e: isinstance(e, DirectoryEntry) and e.path == "."):
        path = root if entry.path == "." else root / entry.path
        path.chmod(entry.mode)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))


def _digest(path: Path) -> bytes:
    """Read in pieces and not through a mapping, which would count the whole file as this process's memory."""
    hasher = blake3()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(READ_BYTES):
            hasher.update(piece)
    return hasher.digest()

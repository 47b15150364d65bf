"""The shape of a restored tree: directories before the bytes; links, modes and times after them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dr_lib.model.manifest import DirectoryEntry, LinkEntry, Manifest
from dr_lib.workflows.restore.output import Output, output_of


@dataclass(frozen=True, slots=True)
class Tree:
    """All that a restore makes."""

    outputs: tuple[Output, ...]
    directories: tuple[DirectoryEntry, ...]
    links: tuple[LinkEntry, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all outputs."""
        return sum(output.size for output in self.outputs)

    def kinds(self) -> dict[str, int]:
        """The kind of everything in it, by path, as `lstat` says it; the root is left out."""
        kinds = {entry.path: stat.S_IFDIR for entry in self.directories if entry.path != "."}
        kinds |= {output.path: stat.S_IFREG for output in self.outputs}
        return kinds | {link.path: stat.S_IFLNK for link in self.links}


def tree_of(manifest: Manifest) -> Tree:
    """The tree that a manifest describes."""
    return Tree(tuple(output_of(file) for file in manifest.files), manifest.directories, manifest.links)


def make_directories(root: Path, directories: Sequence[DirectoryEntry]) -> None:
    """Make every directory that is not there, private until `finish_tree` gives it its mode."""
    for entry in sorted(directories, key=lambda d: d.path):
        if entry.path != ".":
            (root / entry.path).mkdir(mode=0o700, exist_ok=True)


def finish_tree(root: Path, tree: Tree, files: Iterable[Output]) -> None:
    """Links, and modes and times of `files` and directories.

    Directories last and deepest first, so that filling them does not touch their times.
    """
    for link in tree.links:
        (root / link.path).unlink(missing_ok=True)
        (root / link.path).symlink_to(link.target)
        os.utime(root / link.path, ns=(link.mtime_ns, link.mtime_ns), follow_symlinks=False)
    entries: list[Output | DirectoryEntry] = [*files]
    entries += sorted(tree.directories, key=lambda d: (d.path != ".", d.path), reverse=True)
    for entry in entries:
        path = root if entry.path == "." else root / entry.path
        path.chmod(entry.mode)
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))

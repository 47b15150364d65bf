"""Which part of a point is restored."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Sequence
from dataclasses import replace

from dr_lib.errors import NotFound
from dr_lib.model.manifest import Manifest


def select(manifest: Manifest, include: Sequence[str]) -> Manifest:
    """The part of a manifest that the globs name, and the directories that lead to it; `NotFound` for none."""
    if not include:
        return manifest
    files = tuple(f for f in manifest.files if _matches(f.path, include))
    links = tuple(link for link in manifest.links if _matches(link.path, include))
    folders = {d.path for d in manifest.directories if d.path != "." and _matches(d.path, include)}
    if not (files or links or folders):
        raise NotFound(
            f"nothing in {manifest.summary.asset}/{manifest.summary.point} matches {', '.join(include)}",
            hint="patterns are compared with whole paths, as in 'tokenizer*' or '1_Pooling/*'",
        )
    needed = {"."}
    for path in (*folders, *(f.path for f in files), *(link.path for link in links)):
        needed.update(_ancestors(path))
    directories = tuple(d for d in manifest.directories if d.path in needed | folders)
    return replace(manifest, files=files, links=links, directories=directories)


def _matches(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def _ancestors(path: str) -> list[str]:
    found = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found

"""Clear parts of manifests that were read once, kept on this machine: looking at ten thousand points reads none again.

It is only a cache. What it holds is the signed envelope itself, proven again at each use, and counts for the object of
that key, size and tag alone. Missing, damaged or written by somebody else, it costs the reading and nothing more; the
most a forged one can do is to have a manifest looked at another time, by a sample or a full verification.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zstandard

from dr_lib.storage.base import ObjectInfo

HEAD: Final = b"DRSUMS\x00\x01"
MOST_BYTES: Final = 256 << 20
"""Of envelopes in one file; what is beyond is read each time."""
MOST_FILES: Final = 200
"""In the directory; the ones that were not used for longest go."""


@dataclass(frozen=True, slots=True)
class Known:
    """A manifest as it was read: its start up to the end of the envelope, and the SHA-256 (hex) of all of it."""

    size: int
    tag: str
    sha256: str
    envelope: bytes


@dataclass(slots=True)
class SummaryCache:
    """The known manifests of one asset in one vault. `path` None keeps nothing."""

    path: Path | None
    _known: dict[str, Known] = field(default_factory=dict)

    def load(self) -> None:
        """Read the file; nothing is known when it is not there, is damaged, or is not ours alone."""
        self._known = _read(self.path) if self.path is not None else {}

    def find(self, info: ObjectInfo) -> Known | None:
        """What is known of exactly this object."""
        known = self._known.get(info.key)
        return known if known is not None and (known.size, known.tag) == (info.size, info.tag) else None

    def names(self) -> frozenset[str]:
        """Keys that are known."""
        return frozenset(self._known)

    def save(self, known: Mapping[str, Known]) -> None:
        """Keep exactly these. What cannot be written is not kept."""
        self._known = dict(known)
        if self.path is not None:
            with contextlib.suppress(OSError):
                _write(self.path, known)


def cache_of(directory: Path | None, *names: str) -> SummaryCache:
    """The cache below `directory` of what is called like this (the store's URL, the asset)."""
    if directory is None:
        return SummaryCache(None)
    name = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]
    return SummaryCache(directory / f"{name}.summaries")


def _read(path: Path) -> dict[str, Known]:
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            if facts.st_uid != os.getuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return {}
            data = file.read(MOST_BYTES + len(HEAD) + 32)
        frame = data[len(HEAD) + 32 :]
        if not data.startswith(HEAD) or hashlib.sha256(frame).digest() != data[len(HEAD) : len(HEAD) + 32]:
            return {}
        if not 0 < zstandard.frame_content_size(frame) <= 2 * MOST_BYTES:
            return {}
        rows = json.loads(zstandard.ZstdDecompressor().decompress(frame))
        return {str(key): Known(int(size), str(tag), str(sha), base64.b64decode(e)) for key, size, tag, sha, e in rows}
    except (OSError, ValueError, TypeError, MemoryError, RecursionError, zstandard.ZstdError):
        return {}


def _write(path: Path, known: Mapping[str, Known]) -> None:
    rows, total = [], 0
    for key, one in known.items():
        total += len(one.envelope) * 4 // 3 + 200
        if total > MOST_BYTES:
            break
        rows.append([key, one.size, one.tag, one.sha256, base64.b64encode(one.envelope).decode()])
    frame = zstandard.ZstdCompressor(level=1).compress(json.dumps(rows).encode())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_room(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(HEAD + hashlib.sha256(frame).digest() + frame)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _make_room(directory: Path) -> None:
    files = sorted(directory.iterdir(), key=lambda file: file.stat().st_mtime)
    for file in files[: max(0, len(files) - MOST_FILES)]:
        file.unlink(missing_ok=True)

"""The manifest: the record of one recovery point, and where each of its bytes lies.

`format/` gives these facts their bytes; FORMAT.md describes those bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FrameRef:
    """One chunk of a file as stored in a pack.

    `pack` indexes `PointSummary.packs`. `offset` and `length` are the stored bytes within that pack, `raw` the
    bytes after decoding. `codec` and `seal` are registry ids. `digest` is the BLAKE3-256 of the raw bytes (32 bytes).
    """

    pack: int
    offset: int
    length: int
    raw: int
    codec: int
    seal: int
    digest: bytes


def repacked(frame: FrameRef, pack: int) -> FrameRef:
    """`frame` in a list of packs in which its own stands at `pack`."""
    return FrameRef(pack, frame.offset, frame.length, frame.raw, frame.codec, frame.seal, frame.digest)


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A regular file. `mode` holds permission bits only; its frames, in order, cover bytes 0 to `size` exactly.

    `path` is relative, with `/` between its parts; bytes that are not UTF-8 stand as surrogate escapes.
    `sha256` and `blake3` are the digests of the whole file (32 bytes each).
    """

    path: str
    mode: int
    mtime_ns: int
    size: int
    sha256: bytes
    blake3: bytes
    frames: tuple[FrameRef, ...]


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A directory, the root itself (path `.`) included, so that empty ones and modes come back."""

    path: str
    mode: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """A symbolic link. `target` is its text as read, and never leads outside the tree."""

    path: str
    target: str
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class TensorStats:
    """What a tensor's numbers look like; min, max and mean are over the finite elements, None without any.

    `norm` is the L2 norm of the finite ones, None where they are no floating-point numbers or nobody took it. It goes
    into the records of a run, which the next run is compared with, and not into the manifest.
    """

    minimum: float | None
    maximum: float | None
    mean: float | None
    nan: int
    inf: int
    norm: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """A tensor inside a file: bytes `offset` to `offset + length` of `file`.

    `dtype` is the safetensors name (`F32`, `BF16`, …), `digest` the BLAKE3-256 of its bytes, `stats` None for
    dtypes whose numbers are not read.
    """

    file: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int
    digest: bytes
    stats: TensorStats | None


@dataclass(frozen=True, slots=True)
class PackSeal:
    """What a pack's key is derived from: the run key's id (32 hex digits) and 16 random bytes."""

    key: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class PackRef:
    """A pack that a point needs: its name (SHA-256 of its bytes, hex) and its size in bytes.

    `seal` is None for a pack in the clear, and where it is not known: the clear part of a manifest does not tell it.
    """

    sha256: str
    size: int
    seal: PackSeal | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PointSummary:
    """The clear part of a manifest: enough to list, scrub, lock and collect without any reading key.

    `stored_bytes` counts the stored frames that the point references (its own share of its packs). `keys` are the ids
    of the run keys that open the point, sorted; none where nothing is sealed.
    """

    asset: str
    point: str
    kind: str
    created_at: datetime
    logical_bytes: int
    stored_bytes: int
    files: int
    packs: tuple[PackRef, ...]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole recovery point: the clear summary and the body.

    `attachments` are small files that are not part of the asset but needed to prove it (golden outputs, an
    expectation suite); a restore leaves them out unless it is asked. `environment` and `source` are flat
    facts captured at backup (versions; the URL and the moment of the freeze).
    """

    summary: PointSummary
    files: tuple[FileEntry, ...]
    directories: tuple[DirectoryEntry, ...]
    links: tuple[LinkEntry, ...]
    tensors: tuple[TensorEntry, ...]
    attachments: tuple[FileEntry, ...]
    environment: dict[str, str]
    source: dict[str, str]

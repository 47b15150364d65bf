"""Files that end before their format says they do: saves in flight, or what is left of one."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Sequence
from typing import Any, Final

from dr_lib.sources.base import ReadRange, SourceFile, SourceListing
from dr_lib.sources.safetensors_header import LENGTH_BYTES, MAX_HEADER_BYTES

_ZIP_HEAD, _ZIP_END, _ZIP_END_BYTES = b"PK\x03\x04", b"PK\x05\x06", 22 + 0xFFFF
_PARQUET: Final = b"PAR1"
_DISTRIBUTED: Final = ".distcp"
_METADATA: Final = ".metadata"


def cut_short(path: str, read: ReadRange, size: int) -> str | None:
    """A sentence about a file whose name and beginning promise more than its `size` bytes hold; None for any other.

    Reads nothing of a file whose name promises nothing; raises only what `read` raises.
    """
    check = _BY_SUFFIX.get(posixpath.splitext(path)[1].lower())
    why = check(read, size) if check else None
    return f"{path!r} {why}" if why else None


def saves_without_end(fresh: Sequence[SourceFile], listing: SourceListing) -> list[str]:
    """A sentence for each directory with parts of a distributed checkpoint among the `fresh` files whose `.metadata`,
    which is written last, is not there."""
    files = {file.path for file in listing.files}
    folders = {posixpath.dirname(file.path) for file in fresh if file.path.endswith(_DISTRIBUTED)}
    lacking = sorted(folder for folder in folders if posixpath.join(folder, _METADATA) not in files)
    return [f"{folder or '.'!r} holds parts of a distributed checkpoint and no {_METADATA}" for folder in lacking]


def _safetensors(read: ReadRange, size: int) -> str | None:
    if size <= LENGTH_BYTES:
        return None if size else "is empty"
    start = read(0, min(LENGTH_BYTES + 1, size))
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    end = LENGTH_BYTES + length
    if length > MAX_HEADER_BYTES or start[LENGTH_BYTES:] != b"{":
        return None  # no header at all: it was never one
    if end > size:
        return f"ends within its header of {length} bytes"
    promised = end + _tensor_bytes(read(LENGTH_BYTES, length))
    return f"has {size} of the {promised} bytes that its header promises" if promised > size else None


def _tensor_bytes(header: bytes) -> int:
    """Where the last tensor ends; 0 for a header that is odd in another way."""
    try:
        facts: Any = json.loads(header)
        ends = [item["data_offsets"][1] for name, item in facts.items() if name != "__metadata__"]
        return max((end for end in ends if type(end) is int), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return 0


def _parquet(read: ReadRange, size: int) -> str | None:
    if size and not read(0, min(4, size)).startswith(_PARQUET[: min(4, size)]):
        return None
    return None if size >= 12 and read(size - 4, 4) == _PARQUET else "has no footer"


def _zip(read: ReadRange, size: int) -> str | None:
    if not size or read(0, min(4, size)) != _ZIP_HEAD[: min(4, size)]:
        return None
    length = min(size, _ZIP_END_BYTES)
    return None if _ZIP_END in read(size - length, length) else "is an archive without its directory"


_BY_SUFFIX: Final[dict[str, Callable[[ReadRange, int], str | None]]] = {
    ".safetensors": _safetensors,
    ".parquet": _parquet,
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin", ".distcp", ".npz", ".zip"), _zip),
}

"""JSON shapes of the entries of a manifest and of a run's parts, both ways.

Writers use the `*_json` functions, readers the `parse_*` ones, which raise one of `ODD` on anything odd; whoever calls
them turns that into an `IntegrityError` that names the object.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from dr_lib.crypto.sealing import SALT_BYTES
from dr_lib.model.manifest import (
    DirectoryEntry,
    FileEntry,
    FrameRef,
    LinkEntry,
    PackSeal,
    TensorEntry,
    TensorStats,
)

Json = dict[str, Any]
ODD: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What parsing an untrusted JSON value may raise."""
_KEY_ID: Final = re.compile("[0-9a-f]{32}")


def frame_json(frame: FrameRef) -> list[Any]:
    """`[pack, offset, length, raw, codec, seal, digest hex]`."""
    return [frame.pack, frame.offset, frame.length, frame.raw, frame.codec, frame.seal, frame.digest.hex()]


def parse_frame(row: list[Any]) -> FrameRef:
    """Inverse of `frame_json`."""
    *numbers, digest = row
    pack, offset, length, raw, codec, seal = (natural(n) for n in numbers)
    return FrameRef(pack, offset, length, raw, codec, seal, hash_bytes(digest))


def pack_seal_json(seal: PackSeal | None, keys: Sequence[str]) -> list[Any]:
    """`[position of the run key in keys, salt hex]`."""
    if seal is None:
        raise ValueError("a pack in the clear belongs to no sealed point")
    return [keys.index(seal.key), seal.salt.hex()]


def parse_pack_seal(row: list[Any], keys: Sequence[str]) -> PackSeal:
    """Inverse of `pack_seal_json`."""
    key, value = row
    if natural(key) >= len(keys):
        raise ValueError("a pack is sealed under a run key that is not listed")
    return PackSeal(keys[key], salt(value))


def file_json(entry: FileEntry) -> Json:
    """A regular file with its frames."""
    return {
        "path": entry.path,
        "mode": entry.mode,
        "mtime_ns": entry.mtime_ns,
        "size": entry.size,
        "sha256": entry.sha256.hex(),
        "blake3": entry.blake3.hex(),
        "frames": [frame_json(f) for f in entry.frames],
    }


def parse_file(item: Json) -> FileEntry:
    """Inverse of `file_json`."""
    return FileEntry(
        path=text(item["path"]),
        mode=natural(item["mode"]),
        mtime_ns=whole(item["mtime_ns"]),
        size=natural(item["size"]),
        sha256=hash_bytes(item["sha256"]),
        blake3=hash_bytes(item["blake3"]),
        frames=tuple(parse_frame(row) for row in item["frames"]),
    )


def directory_json(entry: DirectoryEntry) -> Json:
    """A directory."""
    return {"path": entry.path, "mode": entry.mode, "mtime_ns": entry.mtime_ns}


def parse_directory(item: Json) -> DirectoryEntry:
    """Inverse of `directory_json`."""
    return DirectoryEntry(text(item["path"]), natural(item["mode"]), whole(item["mtime_ns"]))


def link_json(entry: LinkEntry) -> Json:
    """A symbolic link."""
    return {"path": entry.path, "target": entry.target, "mtime_ns": entry.mtime_ns}


def parse_link(item: Json) -> LinkEntry:
    """Inverse of `link_json`."""
    return LinkEntry(text(item["path"]), text(item["target"]), whole(item["mtime_ns"]))


def tensor_json(entry: TensorEntry) -> Json:
    """A tensor; `stats` is null for dtypes whose numbers are not read."""
    return {
        "file": entry.file,
        "name": entry.name,
        "dtype": entry.dtype,
        "shape": list(entry.shape),
        "offset": entry.offset,
        "length": entry.length,
        "digest": entry.digest.hex(),
        "stats": _stats_json(entry.stats),
    }


def measured_json(entry: TensorEntry) -> Json:
    """A tensor with its norm: for the records of a run, of which a manifest takes over all but that."""
    norm = entry.stats.norm if entry.stats else None
    return tensor_json(entry) | ({} if norm is None else {"norm": norm})


def parse_tensor(item: Json) -> TensorEntry:
    """Inverse of `tensor_json` and of `measured_json`."""
    return TensorEntry(
        file=text(item["file"]),
        name=text(item["name"]),
        dtype=text(item["dtype"]),
        shape=tuple(natural(n) for n in item["shape"]),
        offset=natural(item["offset"]),
        length=natural(item["length"]),
        digest=hash_bytes(item["digest"]),
        stats=_parse_stats(item["stats"], item.get("norm")),
    )


def natural(value: object) -> int:
    """A whole number from 0 up."""
    number = whole(value)
    if number < 0:
        raise ValueError(f"{number} is below zero")
    return number


def whole(value: object) -> int:
    """A whole number; booleans and floats are none."""
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no string")
    return value


def hash_bytes(value: object) -> bytes:
    """32 bytes from 64 hex digits."""
    data = bytes.fromhex(text(value))
    if len(data) != 32:
        raise ValueError("a digest is not 32 bytes long")
    return data


def key_id(value: object) -> str:
    """The id of a run key: 32 hex digits."""
    if not _KEY_ID.fullmatch(text(value)):
        raise ValueError(f"{value!r} is no id of a run key")
    return text(value)


def salt(value: object) -> bytes:
    """16 bytes from 32 hex digits."""
    data = bytes.fromhex(text(value))
    if len(data) != SALT_BYTES:
        raise ValueError("a salt is not 16 bytes long")
    return data


def texts(value: object) -> dict[str, str]:
    """A flat object of strings."""
    if not isinstance(value, dict):
        raise TypeError("no object")
    return {text(k): text(v) for k, v in value.items()}


def _stats_json(stats: TensorStats | None) -> Json | None:
    if stats is None:
        return None
    return {
        "min": stats.minimum,
        "max": stats.maximum,
        "mean": stats.mean if stats.mean is None or math.isfinite(stats.mean) else None,  # its sum may overflow
        "nan": stats.nan,
        "inf": stats.inf,
    }


def _parse_stats(item: Json | None, norm: object) -> TensorStats | None:
    if item is None:
        return None
    counts = natural(item["nan"]), natural(item["inf"])
    return TensorStats(number(item["min"]), number(item["max"]), number(item["mean"]), *counts, number(norm))


def number(value: object) -> float | None:
    """A finite number, or null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    if not math.isfinite(value := float(value)):
        raise ValueError("a number is not finite")
    return value

"""What a model directory must hold before anything is loaded from it, and what of it differs from the record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from dr_lib.errors import IntegrityError, Refused

_WEIGHTS = (".safetensors", ".onnx", ".pt", ".pt2", ".ts")
_RECORDED = (".json", ".txt", ".model", ".tiktoken", ".vocab", ".jinja", *_WEIGHTS)
_HASHED_UP_TO = 64 << 20


@dataclass(frozen=True, slots=True)
class Differences:
    """Recorded files that are not there, and those whose bytes differ (both sorted)."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]


def facts(directory: Path) -> dict[str, dict[str, Any]]:
    """Size of each file that loading depends on, and SHA-256 of those that are not weights."""
    return {path.relative_to(directory).as_posix(): _fact(path) for path in _files(directory, _RECORDED)}


def differences(directory: Path, recorded: Mapping[str, Mapping[str, Any]]) -> Differences:
    """Compare `directory` with `facts` recorded earlier. Files that were not recorded are ignored."""
    missing = [name for name in sorted(recorded) if not (directory / name).is_file()]
    present = [name for name in sorted(recorded) if name not in missing]
    changed = [name for name in present if _fact(directory / name) != dict(recorded[name])]
    return Differences(tuple(missing), tuple(changed))


def require_loadable(directory: Path) -> None:
    """Refuse what must not or cannot be loaded: pickled weights, absent shards, unreadable safetensors.

    Raises `Refused` or `IntegrityError`; its `what` is the cause to report.
    """
    _refuse_pickles(directory)
    for index in _files(directory, (".safetensors.index.json",)):
        _require_shards(index)
    weights = list(_files(directory, (".safetensors",)))
    if not weights:
        raise IntegrityError("missing file: there are no safetensors weights", where=str(directory))
    for path in weights:
        _require_readable(path, path.relative_to(directory).as_posix())


def _refuse_pickles(directory: Path) -> None:
    for path in _files(directory, (".bin",)):
        if path.name.startswith("pytorch_model") and not any(path.parent.glob("*.safetensors")):
            name = path.relative_to(directory).as_posix()
            raise Refused(f"refused to load {name}: pickled weights can run code; convert them to safetensors")


def _require_shards(index: Path) -> None:
    named = set(json.loads(index.read_bytes())["weight_map"].values())
    absent = sorted(name for name in named if not (index.parent / name).is_file())
    if absent:
        raise IntegrityError(f"missing shard: {', '.join(absent)}, named by {index.name}")


def _require_readable(path: Path, name: str) -> None:
    try:
        with safe_open(path, framework="np") as weights:
            weights.keys()
    except SafetensorError as error:
        raise IntegrityError(f"damaged weights: {name} cannot be read ({error})") from error


def _files(directory: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        if path.name.endswith(endings) and path.is_file():
            yield path


def _fact(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    hashed = size <= _HASHED_UP_TO and path.suffix not in _WEIGHTS
    return {"size": size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if hashed else None}

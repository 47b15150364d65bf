"""Which file of an older point a sensitivity control puts into the place of the newer one. Pure."""

from __future__ import annotations

from typing import Final

from dr_lib.model.asset import AssetKind
from dr_lib.model.manifest import FileEntry, Manifest

_ENDINGS: Final = {
    AssetKind.MODEL: (".safetensors", ".onnx", ".pt", ".pt2", ".ts", ".bin", ".ckpt", ".gguf", ".h5", ".npz"),
    AssetKind.DATASET: (".parquet", ".csv"),
}


def another_version(kind: AssetKind, newer: Manifest, older: Manifest) -> str:
    """The path of the smallest file of weights, or table, that both have and that is another one in `older`; else
    empty. A file whose tensors are the same is the same, whatever else is written in it."""
    had = {file.path: file for file in _data(kind, older)}
    tensors = _tensors(newer), _tensors(older)
    found = [file for file in _data(kind, newer) if file.path in had and _differ(file, had[file.path], *tensors)]
    return min(found, key=lambda file: (file.size, file.path)).path if found else ""


def _data(kind: AssetKind, manifest: Manifest) -> list[FileEntry]:
    return [file for file in manifest.files if file.path.lower().endswith(_ENDINGS[kind])]


_Tensors = dict[str, dict[str, tuple[str, bytes]]]


def _tensors(manifest: Manifest) -> _Tensors:
    found: _Tensors = {}
    for one in manifest.tensors:
        found.setdefault(one.file, {})[one.name] = (one.dtype, one.digest)
    return found


def _differ(one: FileEntry, other: FileEntry, newer: _Tensors, older: _Tensors) -> bool:
    if one.path in newer and one.path in older:
        return newer[one.path] != older[one.path]
    return one.blake3 != other.blake3

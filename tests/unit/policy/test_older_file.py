"""Which file of an older point takes the newer one's place: the smallest of weights or rows that really is another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dr_lib.model.asset import AssetKind
from dr_lib.model.manifest import FileEntry, Manifest, PointSummary, TensorEntry
from dr_lib.policy.older_file import another_version


def manifest(files: dict[str, tuple[int, str]], tensors: dict[str, str] | None = None) -> Manifest:
    """Files by path with size and content; tensors by `file:name` with their content."""
    entries = tuple(FileEntry(path, 0o644, 0, size, b"", held.encode(), ()) for path, (size, held) in files.items())
    summary = PointSummary("a", "p", "model", datetime(2026, 1, 1, tzinfo=UTC), 1, 1, 1, ())
    named = [(*key.split(":"), held) for key, held in (tensors or {}).items()]
    found = tuple(TensorEntry(file, name, "F32", (1,), 0, 4, held.encode(), None) for file, name, held in named)
    return Manifest(summary, entries, (), (), found, (), {}, {})


def test_the_smallest_that_differs_is_taken():
    newer = manifest({"a.safetensors": (9, "1"), "b.safetensors": (5, "1"), "c.safetensors": (1, "1")})
    older = manifest({"a.safetensors": (9, "2"), "b.safetensors": (7, "2"), "c.safetensors": (1, "1")})
    assert another_version(AssetKind.MODEL, newer, older) == "b.safetensors"


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        (AssetKind.MODEL, "config.json", ""),
        (AssetKind.MODEL, "t.parquet", ""),
        (AssetKind.MODEL, "W.ONNX", "W.ONNX"),
        (AssetKind.DATASET, "t.parquet", "t.parquet"),
        (AssetKind.DATASET, "w.safetensors", ""),
    ],
)
def test_only_what_the_smoke_test_reads_counts(kind, path, expected):
    assert another_version(kind, manifest({path: (1, "1")}), manifest({path: (1, "2")})) == expected


def test_what_the_older_point_lacks_is_no_version():
    assert another_version(AssetKind.MODEL, manifest({"a.pt": (1, "1")}), manifest({"b.pt": (1, "2")})) == ""


def test_the_same_tensors_written_otherwise_are_the_same():
    one, other = {"a.safetensors": (1, "1")}, {"a.safetensors": (1, "2")}
    tensors = {"a.safetensors:w": "same"}
    assert another_version(AssetKind.MODEL, manifest(one, tensors), manifest(other, tensors)) == ""
    changed = {"a.safetensors:w": "not the same"}
    assert another_version(AssetKind.MODEL, manifest(one, tensors), manifest(other, changed)) == "a.safetensors"

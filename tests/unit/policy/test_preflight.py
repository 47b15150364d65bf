"""Whether a standby can stand in for the machine of the backup: every difference, and how it is judged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dr_lib.model.manifest import FileEntry, Manifest, PointSummary, TensorEntry
from dr_lib.policy.preflight import Needs, preflight

GIB = 1 << 30
RECORDED = {
    "python": "3.11.2",
    "torch": "2.13.0",
    "numpy": "2.4.6",
    "pandas": "none",
    "accelerator": "NVIDIA L4",
    "driver": "580.82.07",
    "torch_cuda": "13.0",
    "compute_capability": "8.9",
}
PRESENT = {
    **RECORDED,
    "disk_free_bytes": str(100 * GIB),
    "ram_free_bytes": str(64 * GIB),
    "ram_bytes": str(64 * GIB),
    "vram_bytes": str(24 * GIB),
}
MODEL = Needs(disk_bytes=10 * GIB, tensor_bytes=10 * GIB, dtypes=frozenset({"F32", "BF16"}))
ON_GPU = Needs(10 * GIB, 10 * GIB, frozenset({"F32", "BF16"}), demands_gpu=True)
FP8 = Needs(10 * GIB, 10 * GIB, frozenset({"F8_E4M3"}))
FP8_ON_GPU = Needs(10 * GIB, 10 * GIB, frozenset({"F8_E4M3"}), demands_gpu=True)
DATASET = Needs(disk_bytes=10 * GIB)
CPU = {"accelerator": "cpu", "driver": "none", "compute_capability": "none", "vram_bytes": "none"}


def judged(recorded: dict[str, str], present: dict[str, str], needs: Needs) -> dict[str, tuple[str, str]]:
    return {row["name"]: (row["class"], row["reason"]) for row in preflight(recorded, present, needs)}


def test_the_same_machine_with_room_is_fine_in_every_respect():
    rows = judged(RECORDED, PRESENT, ON_GPU)
    assert {kind for kind, _ in rows.values()} == {"fine"}
    assert list(rows) == [
        "free disk bytes", "ram bytes", "vram bytes", "python", "torch", "numpy", "pandas", "accelerator",
        "compute capability", "driver", "torch's CUDA",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "needs", "row", "expected"),
    [
        ({"disk_free_bytes": str(10 * GIB)}, MODEL, "free disk bytes", "fine"),
        ({"disk_free_bytes": str(10 * GIB - 1)}, MODEL, "free disk bytes", "blocking"),
        ({"disk_free_bytes": str(10 * GIB - 1)}, DATASET, "free disk bytes", "blocking"),
        ({"disk_free_bytes": "?"}, MODEL, "free disk bytes", "risky"),
        ({"ram_free_bytes": str(14 * GIB)}, MODEL, "ram bytes", "fine"),
        ({"ram_free_bytes": str(13 * GIB)}, MODEL, "ram bytes", "risky"),
        ({"ram_free_bytes": str(7 * GIB)}, MODEL, "ram bytes", "risky"),
        ({"ram_free_bytes": str(6 * GIB)}, MODEL, "ram bytes", "blocking"),
        ({"ram_free_bytes": "", "ram_bytes": ""}, MODEL, "ram bytes", "risky"),
        ({"ram_free_bytes": "", "ram_bytes": str(6 * GIB)}, MODEL, "ram bytes", "blocking"),
        ({"ram_free_bytes": str(10 * GIB)}, DATASET, "ram bytes", "fine"),
        ({"ram_free_bytes": "1"}, DATASET, "ram bytes", "risky"),
        ({"vram_bytes": str(13 * GIB)}, ON_GPU, "vram bytes", "fine"),
        ({"vram_bytes": str(12 * GIB)}, ON_GPU, "vram bytes", "blocking"),
        ({"vram_bytes": str(12 * GIB)}, MODEL, "vram bytes", "risky"),
        ({"vram_bytes": "none"}, ON_GPU, "vram bytes", "risky"),
        ({"vram_free_bytes": str(12 * GIB)}, ON_GPU, "vram bytes", "blocking"),
        ({"vram_free_bytes": str(13 * GIB), "vram_bytes": "none"}, ON_GPU, "vram bytes", "fine"),
        ({"python": "3.11.9"}, MODEL, "python", "fine"),
        ({"python": "3.12.1"}, MODEL, "python", "risky"),
        ({"torch": "2.14.1+cu130"}, MODEL, "torch", "fine"),
        ({"torch": "3.0.0"}, MODEL, "torch", "risky"),
        ({"torch": "1.13.1"}, MODEL, "torch", "risky"),
        ({"torch": "none"}, MODEL, "torch", "risky"),
        ({"numpy": "1.26.4"}, MODEL, "numpy", "risky"),
        ({"pandas": "3.1.1"}, MODEL, "pandas", "fine"),
        (CPU, MODEL, "accelerator", "risky"),
        (CPU, ON_GPU, "accelerator", "blocking"),
        ({"accelerator": "NVIDIA H100"}, ON_GPU, "accelerator", "risky"),
        ({"compute_capability": "9.0"}, ON_GPU, "compute capability", "fine"),
        ({"compute_capability": "8.6"}, MODEL, "compute capability", "risky"),
        ({"compute_capability": "7.5"}, ON_GPU, "compute capability", "risky"),
        ({"compute_capability": "8.6"}, FP8, "compute capability", "risky"),
        ({"compute_capability": "8.6"}, FP8_ON_GPU, "compute capability", "blocking"),
        ({"compute_capability": "8.9"}, FP8_ON_GPU, "compute capability", "fine"),
        ({"compute_capability": "none"}, FP8_ON_GPU, "compute capability", "risky"),
        ({"driver": "570.10"}, ON_GPU, "torch's CUDA", "blocking"),
        ({"driver": "570.10"}, MODEL, "torch's CUDA", "risky"),
        ({"driver": "580.65.06"}, ON_GPU, "torch's CUDA", "fine"),
        ({"driver": "525.60.13", "torch_cuda": "12.8"}, ON_GPU, "torch's CUDA", "fine"),
        ({"driver": "none"}, ON_GPU, "torch's CUDA", "risky"),
        ({"torch_cuda": "none"}, ON_GPU, "torch's CUDA", "blocking"),
        ({"torch_cuda": "none"}, MODEL, "torch's CUDA", "risky"),
        ({"torch_cuda": "99.0"}, ON_GPU, "torch's CUDA", "risky"),
        ({"driver": "470.1"}, MODEL, "driver", "risky"),
    ],
)
def test_a_difference_is_judged(change, needs, row, expected):
    assert judged(RECORDED, PRESENT | change, needs)[row][0] == expected


def test_a_reason_says_what_is_the_matter():
    rows = judged(RECORDED, PRESENT | {"torch": "1.13.1", "compute_capability": "7.5"}, MODEL)
    assert rows["torch"][1] == "an older major version: it may not read what the newer one wrote"
    assert rows["compute capability"][1] == "this GPU does not calculate in BF16"


def test_a_machine_that_tells_nothing_is_never_fine():
    rows = judged(RECORDED, {}, MODEL)
    assert {name: kind for name, (kind, _) in rows.items() if kind == "fine"} == {"pandas": "fine"}


def test_a_recorded_environment_of_an_older_release_is_compared_in_what_it_has():
    rows = judged({"python": "3.11.2", "accelerator": "cpu"}, PRESENT | CPU, MODEL)
    assert {kind for kind, _ in rows.values()} == {"fine"}
    assert list(rows) == ["free disk bytes", "ram bytes", "python", "accelerator"]


def _manifest(kind: str, tensors: tuple[TensorEntry, ...]) -> Manifest:
    def file(path: str, size: int) -> FileEntry:
        return FileEntry(path, 0o644, 0, size, b"", b"", ())

    summary = PointSummary("a", "p", kind, datetime(2026, 1, 1, tzinfo=UTC), 100, 100, 2, ())
    return Manifest(summary, (file("a", 70), file("b", 30)), (), (), tensors, (file("golden.json", 5),), {}, {})


def test_needs_come_from_the_manifest():
    tensors = (
        TensorEntry("a", "x", "BF16", (2, 3), 0, 12, b"", None),
        TensorEntry("a", "y", "F32", (7,), 12, 28, b"", None),
    )
    assert Needs.of(_manifest("model", tensors)) == Needs(105, 40, frozenset({"BF16", "F32"}))
    assert Needs.of(_manifest("model", ()), demands_gpu=True) == Needs(105, 105, frozenset(), demands_gpu=True)
    assert Needs.of(_manifest("dataset", ())) == Needs(105, None)

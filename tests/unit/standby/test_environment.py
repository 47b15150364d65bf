from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import pytest

from dr_lib.standby.environment import capture, preflight

RECORDED = {"python": "3.11.2", "torch": "2.13.0", "numpy": "2.4.6", "driver": "none", "accelerator": "cpu"}
PRESENT = {**RECORDED, "ram_bytes": str(64 << 30)}


def rows(recorded: dict[str, str], present: dict[str, str], needed: int, target: Path) -> dict[str, tuple[str, str]]:
    return {row["name"]: (row["class"], row["reason"]) for row in preflight(recorded, present, needed, target)}


def test_capture_names_what_is_installed_and_what_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = capture()
    assert found["torch"] == metadata.version("torch")
    assert found["great-expectations"] == metadata.version("great-expectations")
    assert int(found["ram_bytes"]) > 1 << 28
    assert int(found["cpus"]) >= 1
    assert (found["accelerator"], found["driver"], found["cuda"]) == ("cpu", "none", "none")


def test_a_gpu_is_named_as_the_driver_reports_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --query-gpu=name,driver_version ]; then echo "NVIDIA L4, 550.54.15"\n'
        'else echo "| NVIDIA-SMI 550.54.15  Driver Version: 550.54.15  CUDA Version: 12.4 |"; fi\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = capture()
    assert (found["accelerator"], found["driver"], found["cuda"]) == ("NVIDIA L4", "550.54.15", "12.4")


def test_a_driver_that_answers_with_an_error_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed, reboot'\nexit 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert capture()["accelerator"] == "cpu"


def test_the_same_environment_is_fine(tmp_path: Path) -> None:
    judged = rows(RECORDED, PRESENT, 1, tmp_path / "not" / "there")
    assert {kind for kind, _ in judged.values()} == {"fine"}
    assert {"free disk bytes", "ram bytes", "python", "torch", "accelerator"} <= set(judged)


def test_too_little_disk_blocks(tmp_path: Path) -> None:
    needed = shutil.disk_usage(tmp_path).total + 1
    judged = rows(RECORDED, {**PRESENT, "ram_bytes": str(needed)}, needed, tmp_path / "standby")
    assert judged["free disk bytes"][0] == "blocking"
    assert [name for name, (kind, _) in judged.items() if kind != "fine"] == ["free disk bytes"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("torch", "3.0.0", "risky"),
        ("torch", "2.14.1", "fine"),
        ("torch", "none", "risky"),
        ("python", "3.12.1", "risky"),
        ("python", "3.11.9", "fine"),
        ("driver", "550.1", "fine"),
        ("ram_bytes", "10", "risky"),
    ],
)
def test_versions_are_judged(tmp_path: Path, name: str, value: str, expected: str) -> None:
    judged = rows(RECORDED, {**PRESENT, name: value}, 100, tmp_path)
    assert judged["ram bytes" if name == "ram_bytes" else name][0] == expected


def test_a_missing_gpu_is_risky(tmp_path: Path) -> None:
    judged = rows({**RECORDED, "accelerator": "NVIDIA L4"}, PRESENT, 1, tmp_path)
    assert judged["accelerator"] == ("risky", "no GPU here")

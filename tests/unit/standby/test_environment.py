from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import pytest

from dr_lib.standby import environment
from dr_lib.standby.environment import capture, resources


def test_capture_names_what_is_installed_and_what_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = capture()
    assert found["torch"] == metadata.version("torch")
    assert found["great-expectations"] == metadata.version("great-expectations")
    assert int(found["ram_bytes"]) > 1 << 28
    assert int(found["cpus"]) >= 1
    assert (found["accelerator"], found["driver"], found["cuda"]) == ("cpu", "none", "none")
    assert (found["compute_capability"], found["vram_bytes"]) == ("none", "none")


def test_a_gpu_is_named_as_the_driver_reports_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = --query-gpu=name,driver_version,memory.total,compute_cap ]; then\n'
        'echo "NVIDIA L4, 550.54.15, 23034, 8.9"; echo "NVIDIA T4, 550.54.15, 15360, 7.5"\n'
        'else echo "| NVIDIA-SMI 550.54.15  Driver Version: 550.54.15  CUDA Version: 12.4 |"; fi\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = capture()
    assert (found["accelerator"], found["driver"], found["cuda"]) == ("NVIDIA L4", "550.54.15", "12.4")
    assert (found["compute_capability"], int(found["vram_bytes"])) == ("8.9", 23034 << 20)


def test_a_gpu_that_keeps_facts_to_itself_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA GRID, 470.1, [N/A], [Not Supported]'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = capture()
    assert (found["accelerator"], found["compute_capability"], found["vram_bytes"]) == ("NVIDIA GRID", "none", "none")


def test_a_driver_that_answers_with_an_error_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed, reboot'\nexit 9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert capture()["accelerator"] == "cpu"


def test_the_cuda_of_torch_is_read_without_importing_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "torch-2.13.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+cu130\n")
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "version.py").write_text("debug = False\ncuda: Optional[str] = '13.0'\nhip = None\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = capture()
    assert (found["torch"], found["torch_cuda"]) == ("2.13.0+cu130", "13.0")


def test_what_is_free_is_told_of_the_place_and_of_the_moment(tmp_path: Path) -> None:
    found = resources(tmp_path / "not" / "there")
    assert 0 < int(found["disk_free_bytes"]) <= shutil.disk_usage(tmp_path).total
    assert 1 << 20 < int(found["ram_free_bytes"]) <= int(capture()["ram_bytes"])


def test_a_control_group_bounds_the_free_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    monkeypatch.setattr(environment, "_CONTROL_GROUP", tmp_path)
    assert resources(tmp_path)["ram_free_bytes"] == "2000000"
    (tmp_path / "memory.max").write_text("max\n")
    assert int(resources(tmp_path)["ram_free_bytes"]) > 1 << 20


def test_what_is_free_of_a_gpu_is_told_and_without_one_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert resources(tmp_path)["vram_free_bytes"] == "none"
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\n[ "$1" = --query-gpu=memory.free ] && echo 20000\n')
    tool.chmod(0o755)
    assert resources(tmp_path)["vram_free_bytes"] == str(20000 << 20)

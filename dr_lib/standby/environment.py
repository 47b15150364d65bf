"""What this machine is, in flat words."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from dr_lib.policy.preflight import ABSENT

LIBRARIES = (
    "torch",
    "transformers",
    "sentence-transformers",
    "safetensors",
    "numpy",
    "pandas",
    "pyarrow",
    "great-expectations",
)
_ASKED = ("name", "driver_version", "memory.total", "compute_cap")
_NVIDIA_SMI_LIMIT_S = 20
_CONTROL_GROUP = Path("/sys/fs/cgroup")


def capture() -> dict[str, str]:
    """Python, platform, CPUs, memory, library versions and GPU; `none` stands for what is not there.

    Imports none of the libraries. Takes milliseconds without a GPU, up to 20 seconds with a driver that hangs.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": str(os.cpu_count() or 1),
        "ram_bytes": str(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")),
        **{name: _version(name) for name in LIBRARIES},
        "torch_cuda": _torch_cuda(),
        **_gpu(),
    }


def gpu_name() -> str | None:
    """The machine's GPU, whether a library can use it or not; None where there is none, or none may be seen."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}:
        return None
    found = _gpu()["accelerator"]
    return None if found == "cpu" else found


def resources(root: Path) -> dict[str, str]:
    """What is free at this moment, in bytes: on `root`'s file system (it need not exist), of memory, of one GPU.

    Memory is what can be had without swapping, and no more than the control group of this process may take.
    """
    existing = next(path for path in (root.absolute(), *root.absolute().parents) if path.exists())
    return {
        "disk_free_bytes": str(shutil.disk_usage(existing).free),
        "ram_free_bytes": str(_free_memory()),
        "vram_free_bytes": _free_gpu_memory(),
    }


def _free_memory() -> int:
    import psutil

    available = int(psutil.virtual_memory().available)
    try:
        limit = int((_CONTROL_GROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_CONTROL_GROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max", or no control group of its own
        return available
    return min(available, max(0, limit - used))


def _version(library: str) -> str:
    """Read from the head of its metadata: parsing all of them took longer than a backup in which nothing changed."""
    try:
        text = metadata.distribution(library).read_text("METADATA") or ""
    except metadata.PackageNotFoundError:
        return ABSENT
    found = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    return found.group(1) if found else ABSENT


def _torch_cuda() -> str:
    """The CUDA that torch was built for, read from its source: importing it would take seconds."""
    try:
        text = metadata.distribution("torch").locate_file("torch/version.py").read_text()
    except (metadata.PackageNotFoundError, OSError):
        return ABSENT
    found = re.search(r"^cuda\b[^=\n]*= *['\"]([\d.]+)['\"]", text, re.MULTILINE)
    return found.group(1) if found else ABSENT


def _gpu() -> dict[str, str]:
    """The first GPU: the least memory and capability of several would need a smoke test that uses them all."""
    lines = _nvidia_smi(f"--query-gpu={','.join(_ASKED)}", "--format=csv,noheader,nounits").strip().splitlines()
    parts = [part.strip() for part in lines[0].rsplit(",", len(_ASKED) - 1)] if lines else []
    if len(parts) != len(_ASKED):
        return {"accelerator": "cpu", **dict.fromkeys(("driver", "cuda", "compute_capability", "vram_bytes"), ABSENT)}
    name, driver, memory_mib, capability = parts
    cuda = re.search(r"CUDA Version:\s*([\d.]+)", _nvidia_smi())
    return {
        "accelerator": name,
        "driver": driver,
        "cuda": cuda.group(1) if cuda else ABSENT,
        "compute_capability": capability if re.fullmatch(r"\d+\.\d+", capability) else ABSENT,
        "vram_bytes": str(int(memory_mib) << 20) if memory_mib.isdecimal() else ABSENT,
    }


def _free_gpu_memory() -> str:
    lines = _nvidia_smi("--query-gpu=memory.free", "--format=csv,noheader,nounits").strip().splitlines()
    return str(int(lines[0]) << 20) if lines and lines[0].strip().isdecimal() else ABSENT


def _nvidia_smi(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=_NVIDIA_SMI_LIMIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout

"""What this machine is, in flat words, and whether it can stand in for the one that was recorded."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

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
ABSENT = "none"
_VERSIONED = ("python", *LIBRARIES, "cuda", "driver")
_NVIDIA_SMI_LIMIT_S = 20


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
        **_gpu(),
    }


def preflight(
    recorded: Mapping[str, str], present: Mapping[str, str], needed_bytes: int, target: Path
) -> tuple[dict[str, Any], ...]:
    """Compare the standby with the recorded environment, one `{name, recorded, present, class, reason}` a fact.

    `class` is `fine`, `risky` (the drill goes on, and this may explain its result) or `blocking`: `target`'s file
    system has less than `needed_bytes` free.
    """
    versions = [_version_row(name, recorded, present) for name in _VERSIONED if name in recorded]
    return (
        _disk_row(needed_bytes, target),
        _memory_row(needed_bytes, present),
        *versions,
        *_gpu_row(recorded, present),
    )


def _version(library: str) -> str:
    """Read from the head of its metadata: parsing all of them took longer than a backup in which nothing changed."""
    try:
        text = metadata.distribution(library).read_text("METADATA") or ""
    except metadata.PackageNotFoundError:
        return ABSENT
    found = re.search(r"^Version: *(\S+)", text, re.MULTILINE)
    return found.group(1) if found else ABSENT


def _gpu() -> dict[str, str]:
    line = _nvidia_smi("--query-gpu=name,driver_version", "--format=csv,noheader").strip().splitlines()
    if not line or "," not in line[0]:
        return {"accelerator": "cpu", "driver": ABSENT, "cuda": ABSENT}
    name, driver = (part.strip() for part in line[0].rsplit(",", 1))
    cuda = re.search(r"CUDA Version:\s*([\d.]+)", _nvidia_smi())
    return {"accelerator": name, "driver": driver, "cuda": cuda.group(1) if cuda else ABSENT}


def _nvidia_smi(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=_NVIDIA_SMI_LIMIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout


def _row(name: str, recorded: str, present: str, judged: tuple[str, str]) -> dict[str, Any]:
    return {"name": name, "recorded": recorded, "present": present, "class": judged[0], "reason": judged[1]}


def _version_row(name: str, recorded: Mapping[str, str], present: Mapping[str, str]) -> dict[str, Any]:
    then, now = recorded[name], present.get(name, ABSENT)
    return _row(name, then, now, _judge_version(name, then, now))


def _judge_version(name: str, then: str, now: str) -> tuple[str, str]:
    if then in {now, ABSENT}:
        return "fine", "as recorded" if then == now else "was not there when the point was made"
    if now == ABSENT:
        return "risky", "not installed here"
    # Python breaks compatibility in its second number, libraries in their first.
    depth = 2 if name == "python" else 1
    if then.split(".")[:depth] != now.split(".")[:depth]:
        return "risky", "another major version"
    return "fine", "same major version"


def _disk_row(needed_bytes: int, target: Path) -> dict[str, Any]:
    existing = next(path for path in (target.absolute(), *target.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    judged = ("fine", "enough room") if free >= needed_bytes else ("blocking", "less room than the asset needs")
    return _row("free disk bytes", str(needed_bytes), str(free), judged)


def _memory_row(needed_bytes: int, present: Mapping[str, str]) -> dict[str, Any]:
    ram = int(present.get("ram_bytes", "0"))
    judged = ("fine", "more than the asset") if ram >= needed_bytes else ("risky", "less memory than the asset")
    return _row("ram bytes", str(needed_bytes), str(ram), judged)


def _gpu_row(recorded: Mapping[str, str], present: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    if "accelerator" in recorded:
        then, now = recorded["accelerator"], present.get("accelerator", "cpu")
        lost = then != "cpu" and now == "cpu"
        reason = "no GPU here" if lost else "as recorded" if then == now else "another accelerator"
        yield _row("accelerator", then, now, ("risky" if lost or now != then else "fine", reason))

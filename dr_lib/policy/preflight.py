"""Whether a standby can stand in for the machine that was recorded at backup: a difference at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dr_lib.model.manifest import Manifest

ABSENT: Final = "none"
"""Stands in an environment for what is not there; a name that is missing altogether was never looked for."""
FINE, RISKY, BLOCKING = "fine", "risky", "blocking"

LOADED: Final = 1.25
"""A model in memory: its tensors, and a quarter for activations and the buffers of loading."""
LIBRARIES_BYTES: Final = 768 << 20
"""What Python, torch and a loader take before any tensor, in RAM."""
CONTEXT_BYTES: Final = 512 << 20
"""What a CUDA context and the kernels of its libraries take, in VRAM."""

_VERSIONED: Final = (
    *("python", "torch", "transformers", "sentence-transformers", "safetensors", "numpy", "pandas", "pyarrow"),
    "great-expectations",
)
_CAPABILITY: Final = {"BF16": (8, 0), "F8_E4M3": (8, 9), "F8_E5M2": (8, 9)}
"""The compute capability from which NVIDIA's hardware calculates in a dtype (CUDA C++ Programming Guide, tables of
arithmetic instructions). Below it, libraries emulate, or refuse."""
_NO_EMULATION: Final = frozenset({"F8_E4M3", "F8_E5M2"})
# NVIDIA's compatibility table ("CUDA Toolkit and Corresponding Driver Versions"), minor-version compatibility.
_DRIVER: Final = {11: (450, 80), 12: (525, 60), 13: (580, 65)}


@dataclass(frozen=True, slots=True)
class Needs:
    """What an asset takes. `disk_bytes` when restored, `tensor_bytes` when loaded (None: not loaded as a whole), the
    `dtypes` of its tensors, and whether its smoke test must run on a GPU."""

    disk_bytes: int
    tensor_bytes: int | None = None
    dtypes: frozenset[str] = frozenset()
    demands_gpu: bool = False

    @classmethod
    def of(cls, manifest: Manifest, *, demands_gpu: bool = False) -> Needs:
        """From a point's manifest; a model whose tensors are not listed is taken for tensors as a whole."""
        disk = sum(entry.size for entry in (*manifest.files, *manifest.attachments))
        if manifest.summary.kind != "model":
            return cls(disk)
        tensors = sum(tensor.length for tensor in manifest.tensors)
        return cls(disk, tensors or disk, frozenset(tensor.dtype for tensor in manifest.tensors), demands_gpu)


def preflight(recorded: Mapping[str, str], present: Mapping[str, str], needs: Needs) -> tuple[dict[str, Any], ...]:
    """One `{name, recorded, present, class, reason}` for each fact that matters.

    `class` is `fine`, `risky` (the drill goes on, and this may explain its result) or `blocking` (it cannot succeed).
    What the standby could not tell is risky, never fine.
    """
    rows = [_disk(present, needs), _ram(present, needs), *_vram(present, needs)]
    rows += [_version(name, recorded, present) for name in _VERSIONED if name in recorded]
    return (*rows, *_accelerator(recorded, present, needs), *_driver(recorded, present, needs))


def _row(name: str, recorded: object, present: object, judged: tuple[str, str]) -> dict[str, Any]:
    return {"name": name, "recorded": str(recorded), "present": str(present), "class": judged[0], "reason": judged[1]}


def _bytes(present: Mapping[str, str], name: str) -> int | None:
    text = present.get(name, "")
    return int(text) if text.isdecimal() else None


def _disk(present: Mapping[str, str], needs: Needs) -> dict[str, Any]:
    free = _bytes(present, "disk_free_bytes")
    judged = (BLOCKING, "less room than the asset needs")
    if free is None:
        judged = (RISKY, "the free room could not be told")
    elif free >= needs.disk_bytes:
        judged = (FINE, "enough room")
    return _row("free disk bytes", needs.disk_bytes, _told(free), judged)


def _ram(present: Mapping[str, str], needs: Needs) -> dict[str, Any]:
    free = _bytes(present, "ram_free_bytes")
    if free is None:
        free = _bytes(present, "ram_bytes")
    if needs.tensor_bytes is None:
        return _row("ram bytes", needs.disk_bytes, _told(free), _ram_of_a_dataset(free, needs.disk_bytes))
    needed = int(needs.tensor_bytes * LOADED) + LIBRARIES_BYTES
    return _row("ram bytes", needed, _told(free), _ram_of_a_model(free, needed))


def _ram_of_a_dataset(free: int | None, size: int) -> tuple[str, str]:
    if free is None:
        return RISKY, "the free memory could not be told"
    return (FINE, "more than the asset") if free >= size else (RISKY, "less memory than the asset; a table may not fit")


def _ram_of_a_model(free: int | None, needed: int) -> tuple[str, str]:
    if free is None:
        return RISKY, "the free memory could not be told"
    if free >= needed:
        return FINE, "the tensors fit, with a quarter more and the libraries"
    if free * 2 < needed:
        return BLOCKING, "less than half of what the tensors, a quarter more and the libraries take"
    return RISKY, "less than the tensors, a quarter more and the libraries take"


def _vram(present: Mapping[str, str], needs: Needs) -> Iterator[dict[str, Any]]:
    if needs.tensor_bytes is None or present.get("accelerator", "cpu") == "cpu":
        return
    needed = int(needs.tensor_bytes * LOADED) + CONTEXT_BYTES
    free = _bytes(present, "vram_free_bytes")
    if free is None:
        free = _bytes(present, "vram_bytes")
    judged = (BLOCKING if needs.demands_gpu else RISKY, "less than the tensors, a quarter more and a CUDA context take")
    if free is None:
        judged = (RISKY, "the GPU's memory could not be told")
    elif free >= needed:
        judged = (FINE, "the tensors fit, with a quarter more and a CUDA context")
    yield _row("vram bytes", needed, _told(free), judged)


def _told(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def _version(name: str, recorded: Mapping[str, str], present: Mapping[str, str]) -> dict[str, Any]:
    then, now = recorded[name], present.get(name, ABSENT)
    return _row(name, then, now, _judge_version(name, then, now))


def _judge_version(name: str, then: str, now: str) -> tuple[str, str]:
    if then in {now, ABSENT}:
        return FINE, "as recorded" if then == now else "was not there when the point was made"
    if now == ABSENT:
        return RISKY, "not installed here"
    # Python breaks compatibility in its second number, libraries in their first.
    depth = 2 if name == "python" else 1
    if then.split(".")[:depth] == now.split(".")[:depth]:
        return FINE, "same major version"
    older = _numbers(now) < _numbers(then)
    return (
        RISKY,
        "an older major version: it may not read what the newer one wrote" if older else "another major version",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def _accelerator(recorded: Mapping[str, str], present: Mapping[str, str], needs: Needs) -> Iterator[dict[str, Any]]:
    now = present.get("accelerator", "cpu")
    if "accelerator" in recorded or needs.demands_gpu:
        then = recorded.get("accelerator", "cpu")
        yield _row("accelerator", then, now, _judge_accelerator(then, now, needs))
    if now != "cpu":
        yield from _capability(recorded, present, needs)


def _judge_accelerator(then: str, now: str, needs: Needs) -> tuple[str, str]:
    if now == "cpu" and needs.demands_gpu:
        return BLOCKING, "no GPU here, and the smoke test must run on one"
    if then == now:
        return FINE, "as recorded"
    return RISKY, "no GPU here" if now == "cpu" else "another accelerator"


def _capability(recorded: Mapping[str, str], present: Mapping[str, str], needs: Needs) -> Iterator[dict[str, Any]]:
    then, now = recorded.get("compute_capability", ABSENT), present.get("compute_capability", ABSENT)
    lacking = sorted(t for t in needs.dtypes if now != ABSENT and _numbers(now) < _CAPABILITY.get(t, (0,)))
    judged = (FINE, "as recorded" if then == now else "not lower than recorded")
    if lacking:
        hard = needs.demands_gpu and not _NO_EMULATION.isdisjoint(lacking)
        judged = (BLOCKING if hard else RISKY, f"this GPU does not calculate in {', '.join(lacking)}")
    elif now == ABSENT:
        judged = (RISKY, "the compute capability could not be told")
    elif then != ABSENT and _numbers(now) < _numbers(then):
        judged = (RISKY, "lower than recorded")
    yield _row("compute capability", then, now, judged)


def _driver(recorded: Mapping[str, str], present: Mapping[str, str], needs: Needs) -> Iterator[dict[str, Any]]:
    """CUDA's versions matter where there is a GPU now, or must be."""
    if "driver" in recorded:
        then, now = recorded["driver"], present.get("driver", ABSENT)
        yield _row("driver", then, now, _judge_driver(then, now))
    build = present.get("torch_cuda", ABSENT)
    if present.get("accelerator", "cpu") == "cpu":
        return
    yield _row("torch's CUDA", recorded.get("torch_cuda", ABSENT), build, _judge_cuda(build, present, needs))


def _judge_driver(then: str, now: str) -> tuple[str, str]:
    if then in {now, ABSENT}:
        return FINE, "as recorded" if then == now else "was not there when the point was made"
    if now == ABSENT:
        return RISKY, "no driver here"
    same = then.partition(".")[0] == now.partition(".")[0]
    return (FINE, "same major version") if same else (RISKY, "another major version")


def _judge_cuda(build: str, present: Mapping[str, str], needs: Needs) -> tuple[str, str]:
    worst = BLOCKING if needs.demands_gpu else RISKY
    if build == ABSENT:
        return worst, "this torch was built without CUDA: it will not use the GPU"
    least, driver = _DRIVER.get(_numbers(build)[0]), _numbers(present.get("driver", ""))
    if least is None or not driver:
        return RISKY, "whether the driver is new enough could not be told"
    if driver < least:
        return worst, f"the driver is too old for it: {'.'.join(map(str, least))} is the least"
    return FINE, "the driver is new enough for it"

"""Measures a loaded model while it answers: latency of single inputs, throughput of a batch, memory."""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from dr_lib.clock import monotonic
from dr_lib.standby.smoke.loaders import LoadedModel, Rows

_WARM_CALLS = 30
_BATCHES = (1, 8, 32)


@dataclass(frozen=True, slots=True)
class Timed:
    """Rows in input order, and seconds per call: the first (cold) one and the others."""

    rows: Rows
    cold_s: float
    warm_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """Median seconds of one warm call."""
        return statistics.median(self.warm_s)

    def measures(self) -> dict[str, float]:
        """Latencies in seconds under their names."""
        p95 = float(np.quantile(self.warm_s, 0.95))
        return {"latency_cold_s": self.cold_s, "latency_p50_s": self.median_s, "latency_p95_s": p95}


def answer_all(model: LoadedModel, inputs: list[Any], seen: Callable[[int, Rows], None]) -> Timed:
    """Ask every input alone, so that padding cannot differ; `seen(number, row)` is told of each at once.

    At least 30 further calls are timed where there are fewer inputs.
    """
    rows, seconds = [], []
    for number, text in enumerate(inputs):
        row, took = _ask(model, text)
        seen(number, row)
        rows.append(row)
        seconds.append(took)
    seconds += [_ask(model, text)[1] for text in islice(cycle(inputs), max(0, _WARM_CALLS + 1 - len(inputs)))]
    return Timed(np.stack(rows), seconds[0], tuple(seconds[1:]))


def throughput(model: LoadedModel, inputs: list[Any]) -> dict[str, float]:
    """Inputs per second in batches of 1, 8 and 32, by name, and the best of them as `throughput_per_s`; as
    `gpu_utilisation` the share of time that the GPU was busy meanwhile, where there is one that tells."""
    found: dict[str, float] = {}
    for size in _BATCHES:
        batch = list(islice(cycle(inputs), size))
        before = monotonic()
        model.answer(batch)
        found[f"throughput_per_s_at_{size}"] = len(batch) / (monotonic() - before)
    busy = _utilisation(model)
    return {**found, "throughput_per_s": max(found.values()), **({} if busy is None else {"gpu_utilisation": busy})}


def _utilisation(model: LoadedModel) -> float | None:
    """Of the last second, by the driver's word; None on a CPU, and where the driver cannot be asked."""
    torch = sys.modules.get("torch")
    if model.accelerator == "cpu" or torch is None:
        return None
    try:
        return float(torch.cuda.utilization()) / 100.0
    except Exception:  # noqa: BLE001 - it needs a library of NVIDIA's that need not be there
        return None


def peak_rss_bytes() -> int:
    """Greatest resident memory of this process.

    Read from /proc where there is one: after vfork and exec, getrusage on Linux still counts the parent's.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text().splitlines()
        peak = next((line for line in lines if line.startswith("VmHWM:")), None)
        if peak is not None:
            return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _ask(model: LoadedModel, text: Any) -> tuple[Rows, float]:
    before = monotonic()
    row = model.answer([text])[0]
    return row, monotonic() - before

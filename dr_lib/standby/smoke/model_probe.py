"""Smoke test of a model, and the recording it is compared with. Runs inside the fresh process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dr_lib.clock import monotonic
from dr_lib.errors import IntegrityError, NotFound
from dr_lib.model.asset import Tolerance
from dr_lib.model.drill import SmokeCheck, SmokeResult
from dr_lib.standby.smoke import model_files
from dr_lib.standby.smoke.diagnosis import cause_of
from dr_lib.standby.smoke.judge import Golden, Observed, judge, row_holds
from dr_lib.standby.smoke.loaders import LoadedModel, Rows, load
from dr_lib.standby.smoke.request import GOLDEN, result_to_json
from dr_lib.standby.smoke.timing import Timed, answer_all, peak_rss_bytes, throughput


@dataclass(frozen=True, slots=True)
class _Recorded:
    inputs: list[str]
    golden: Golden
    files: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Run:
    model: LoadedModel
    timed: Timed
    load_s: float
    first_output_s: float


def record(request: dict[str, Any]) -> dict[str, Any]:
    """Golden outputs of the live model. Each number is the shortest decimal that is the same float32."""
    directory = Path(request["directory"])
    model_files.require_loadable(directory)
    model = load(request["loader"], directory)
    timed = answer_all(model, request["inputs"], lambda _number, _row: None)
    if not np.isfinite(timed.rows).all():
        raise IntegrityError("NaN outputs: the live model itself answers with values that are not finite numbers")
    return {
        "loader": request["loader"],
        "inputs": request["inputs"],
        "outputs": [[float(str(value)) for value in row] for row in timed.rows],
        "accelerator": model.accelerator,
        "latency": timed.measures(),
        "files": model_files.facts(directory),
    }


def check(request: dict[str, Any]) -> dict[str, Any]:
    """Load what was restored and compare its answers with the golden ones."""
    directory, tolerance = Path(request["directory"]), Tolerance(**request["tolerance"])
    recorded = _read_golden(Path(request["attachments"]) / GOLDEN)
    differences = model_files.differences(directory, recorded.files)
    if differences.missing:
        raise IntegrityError(f"missing file: {', '.join(differences.missing)}")
    with _explained(differences.changed):
        model_files.require_loadable(directory)
        run = _run(request, recorded, tolerance)
        per_second = throughput(run.model, recorded.inputs)
    observed = Observed(run.timed.rows, run.timed.median_s, run.model.accelerator, differences.changed)
    verdict = judge(observed, recorded.golden, tolerance)
    present = SmokeCheck("recorded files", f"{len(recorded.files)} there", f"{len(recorded.files)}", passed=True)
    result = SmokeResult(
        passed=verdict.cause is None,
        checks=(present, *verdict.checks),
        cause=verdict.cause,
        accelerator=run.model.accelerator,
        load_s=run.load_s,
        first_output_s=run.first_output_s,
        measures=_measures(run, per_second),
    )
    return result_to_json(result)


def _run(request: dict[str, Any], recorded: _Recorded, tolerance: Tolerance) -> _Run:
    before = monotonic()
    model = load(request["loader"], Path(request["directory"]))
    load_s = monotonic() - before
    correct: list[float] = []

    def seen(number: int, row: Rows) -> None:
        if not correct and row_holds(row, recorded.golden.rows[number], tolerance):
            correct.append(monotonic() - request["started"])

    timed = answer_all(model, recorded.inputs, seen)
    return _Run(model, timed, load_s, correct[0] if correct else monotonic() - request["started"])


def _measures(run: _Run, per_second: float) -> dict[str, float]:
    return {
        **run.timed.measures(),
        "throughput_per_s": per_second,
        "parameters": float(run.model.parameters),
        "peak_rss_bytes": float(peak_rss_bytes()),
        "peak_gpu_bytes": float(run.model.peak_gpu_bytes()),
    }


def _read_golden(path: Path) -> _Recorded:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise NotFound("the recovery point holds no golden outputs to compare with", where=str(path)) from None
    rows = np.asarray(document["outputs"], dtype=np.float32)
    return _Recorded(document["inputs"], Golden(rows, document["accelerator"]), document["files"])


@contextlib.contextmanager
def _explained(changed: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise IntegrityError(cause_of(error, changed)) from error

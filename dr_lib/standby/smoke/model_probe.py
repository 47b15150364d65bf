"""Smoke test of a model, and the recording it is compared with. Runs inside the fresh process."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dr_lib.clock import monotonic
from dr_lib.errors import IntegrityError
from dr_lib.model.drill import SmokeCheck, SmokeResult
from dr_lib.model.smoke import READ_SAFETENSORS, SmokeLimits, Tolerance
from dr_lib.standby.environment import gpu_name
from dr_lib.standby.smoke import model_files
from dr_lib.standby.smoke.calibration import Spread, resolve, spread
from dr_lib.standby.smoke.diagnosis import cause_of
from dr_lib.standby.smoke.golden import Recorded, read_golden
from dr_lib.standby.smoke.judge import Observed, Verdict, judge, row_holds
from dr_lib.standby.smoke.loaders import LoadedModel, Rows, load
from dr_lib.standby.smoke.request import GOLDEN, result_to_json
from dr_lib.standby.smoke.timing import Timed, answer_all, peak_rss_bytes, throughput
from dr_lib.standby.smoke.weights import compare, digests


@dataclass(frozen=True, slots=True)
class _Run:
    model: LoadedModel
    timed: Timed
    load_s: float
    first_output_s: float
    tolerance: Tolerance


def record(request: dict[str, Any]) -> dict[str, Any]:
    """Golden outputs of the live model. Each number is the shortest decimal that is the same float32."""
    directory = Path(request["directory"])
    _require_loadable(request)
    model = load(request["loader"], directory)
    inputs = request["inputs"]
    timed = answer_all(model, inputs, lambda _number, _row: None)
    if not np.isfinite(timed.rows).all():
        raise IntegrityError("NaN outputs: the live model itself answers with values that are not finite numbers")
    found = spread(timed.rows, list(_asked_again(model, inputs)))
    _hold_to_expected(timed.rows, request, found)
    return {
        "loader": request["loader"],
        "inputs": inputs,
        "outputs": [[float(str(value)) for value in row] for row in timed.rows],
        "spread": found.document(),
        "perplexity": _perplexity(model, inputs),
        "weights": digests(model),
        "accelerator": model.accelerator,
        "latency": timed.measures(),
        "files": model_files.facts(directory),
    }


def check(request: dict[str, Any]) -> dict[str, Any]:
    """Load what was restored and compare its answers with the golden ones. May be called again, of other files."""
    recorded, changed = _present(request)
    with _explained(changed):
        _require_loadable(request)
        run = _run(request, recorded)
        measures = _measures(run, throughput(run.model, recorded.inputs))
        observed = _observed(run, recorded, changed, measures)
    verdict = judge(observed, recorded.golden, run.tolerance, SmokeLimits(**request.get("limits", {})))
    present = SmokeCheck("recorded files", f"{len(recorded.files)} there", f"{len(recorded.files)}", passed=True)
    result = SmokeResult(
        passed=verdict.cause is None,
        checks=(present, *verdict.checks),
        cause=verdict.cause,
        accelerator=run.model.accelerator,
        load_s=run.load_s,
        first_output_s=run.first_output_s,
        measures=measures,
    )
    return result_to_json(result)


def answers(request: dict[str, Any]) -> Verdict:
    """What `check` judges, but for how fast and how large it is: what is there, in memory, and answered."""
    recorded, changed = _present(request)
    with _explained(changed):
        _require_loadable(request)
        model = load(request["loader"], Path(request["directory"]))
        tolerance = _tolerance(request, recorded, model)
        observed = Observed(
            _alone(model, recorded.inputs),
            0.0,
            model.accelerator,
            changed,
            weights=compare(digests(model), recorded.weights),
            perplexity=tuple(_perplexity(model, recorded.inputs) if recorded.golden.perplexity else ()),
        )
    return judge(observed, recorded.golden, replace(tolerance, latency_s=None))


def _present(request: dict[str, Any]) -> tuple[Recorded, tuple[str, ...]]:
    """The recording, and which of its files are changed; `IntegrityError` when one is missing."""
    recorded = read_golden(Path(request["attachments"]) / GOLDEN, request["loader"])
    differences = model_files.differences(Path(request["directory"]), recorded.files)
    if differences.missing:
        raise IntegrityError(f"missing file: {', '.join(differences.missing)}")
    return recorded, differences.changed


def _tolerance(request: dict[str, Any], recorded: Recorded, model: LoadedModel) -> Tolerance:
    golden = recorded.golden
    elsewhere = model.accelerator != golden.accelerator
    return resolve(Tolerance(**request["tolerance"]), golden.rows, recorded.spread, elsewhere=elsewhere)


def _require_loadable(request: dict[str, Any]) -> None:
    if request["loader"] in READ_SAFETENSORS:
        model_files.require_loadable(Path(request["directory"]))


def _asked_again(model: LoadedModel, inputs: list[Any]) -> Iterator[Rows]:
    """The same inputs in other ways that a right model may be asked in: alone again, as a batch, on one thread."""
    yield _alone(model, inputs)
    yield model.answer(inputs)
    torch = sys.modules.get("torch")
    if torch is None:
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield _alone(model, inputs)
        yield model.answer(inputs)
    finally:
        torch.set_num_threads(threads)


def _alone(model: LoadedModel, inputs: list[Any]) -> Rows:
    return np.stack([model.answer([one])[0] for one in inputs])


def _hold_to_expected(rows: Rows, request: dict[str, Any], found: Spread) -> None:
    """`IntegrityError` when the golden file knows an answer, and the live model gives another one."""
    tolerance = Tolerance(**request.get("tolerance", {}))
    expected = request.get("expected") or [None] * len(rows)
    for number, (row, known) in enumerate(zip(rows, expected, strict=True), start=1):
        if known is None:
            continue
        golden = np.asarray(known, dtype=np.float32)
        # Whoever wrote the file had another machine: as far as another accelerator may stray, it may.
        if not row_holds(row, golden, resolve(tolerance, golden, found, elsewhere=True)):
            raise IntegrityError(
                f"the golden file is of another model: to its input {number} the live model answers differently"
            )


def _run(request: dict[str, Any], recorded: Recorded) -> _Run:
    before = monotonic()
    model = load(request["loader"], Path(request["directory"]))
    load_s = monotonic() - before
    golden = recorded.golden
    tolerance = _tolerance(request, recorded, model)
    correct: list[float] = []

    def seen(number: int, row: Rows) -> None:
        if not correct and row_holds(row, golden.rows[number], tolerance):
            correct.append(monotonic() - request["started"])

    timed = answer_all(model, recorded.inputs, seen)
    return _Run(model, timed, load_s, correct[0] if correct else monotonic() - request["started"], tolerance)


def _observed(run: _Run, recorded: Recorded, changed: tuple[str, ...], measures: dict[str, float]) -> Observed:
    accelerator = run.model.accelerator
    return Observed(
        run.timed.rows,
        run.timed.median_s,
        accelerator,
        changed,
        gpu=gpu_name() if accelerator == "cpu" else accelerator,
        weights=compare(digests(run.model), recorded.weights),
        perplexity=tuple(_perplexity(run.model, recorded.inputs) if recorded.golden.perplexity else ()),
        measures=measures,
    )


def _perplexity(model: LoadedModel, inputs: list[Any]) -> list[float]:
    """One number an input, of models that predict what comes next; else none."""
    asked = getattr(model, "perplexity", None)
    found: list[float] = [] if asked is None else list(asked(inputs))
    return found


def _measures(run: _Run, per_second: dict[str, float]) -> dict[str, float]:
    return {
        **run.timed.measures(),
        "load_s": run.load_s,
        "warm_up_s": run.timed.cold_s,
        **per_second,
        "parameters": float(run.model.parameters),
        "peak_rss_bytes": float(peak_rss_bytes()),
        **({} if run.model.accelerator == "cpu" else {"peak_gpu_bytes": float(run.model.peak_gpu_bytes())}),
    }


@contextlib.contextmanager
def _explained(changed: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise IntegrityError(cause_of(error, changed)) from error

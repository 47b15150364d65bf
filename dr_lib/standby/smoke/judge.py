"""Pure comparison of restored outputs with the golden ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dr_lib.model.drill import SmokeCheck
from dr_lib.model.smoke import SmokeLimits, Tolerance
from dr_lib.standby.smoke import limits as bounds
from dr_lib.standby.smoke.diagnosis import mismatch_of
from dr_lib.standby.smoke.metrics import Matrix, agreement, cosine, distance, lowest_cosine

NOT_FINITE = "NaN or infinite values"
GPU_USED = "GPU used"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judged checks in order, and the likely cause when one failed (None when all held)."""

    checks: tuple[SmokeCheck, ...]
    cause: str | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What the restored model did. `median_s` is the median latency of one input in seconds.

    `gpu` names the GPU of the machine, used or not; `weights` the check of the tensors in memory, and those that are
    not the recorded ones.
    """

    rows: Matrix
    median_s: float
    accelerator: str
    changed: tuple[str, ...] = ()
    gpu: str | None = None
    weights: tuple[SmokeCheck, tuple[str, ...]] | None = None
    perplexity: tuple[float, ...] = ()
    measures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Golden:
    """What the live model did at backup, and on which accelerator."""

    rows: Matrix
    accelerator: str
    median_s: float | None = None
    perplexity: tuple[float, ...] = ()


def row_holds(row: Matrix, golden: Matrix, tolerance: Tolerance) -> bool:
    """True when one output row is the golden one within the tolerance, whose `cosine` and `max_abs` are set."""
    if row.shape != golden.shape or not np.isfinite(row).all():
        return False
    return all(check.passed for check in _output_checks(row[None], golden[None], tolerance))


def judge(observed: Observed, golden: Golden, tolerance: Tolerance, limits: SmokeLimits | None = None) -> Verdict:
    """Compare everything that can be compared; a shape that differs leaves the rows uncompared and fails them.

    `cosine` and `max_abs` of the tolerance are set (see `calibration.resolve`).
    """
    checks = [*_shape_checks(observed.rows, golden.rows), _number_check(observed.rows)]
    if all(check.passed for check in checks):
        checks += _output_checks(observed.rows, golden.rows, tolerance)
        checks += _perplexity_checks(observed, golden, tolerance)
    checks += [observed.weights[0]] if observed.weights is not None else []
    checks += _gpu_checks(observed)
    checks += _latency_checks(observed.median_s, tolerance)
    checks += bounds.checks(limits or SmokeLimits(), observed.measures, golden.median_s)
    return Verdict(tuple(checks), _cause(checks, observed, golden))


def _shape_checks(rows: Matrix, golden: Matrix) -> list[SmokeCheck]:
    named = zip(("outputs", "dimension"), rows.shape, golden.shape, strict=True)
    return [SmokeCheck(name, str(have), str(want), have == want) for name, have, want in named]


def _number_check(rows: Matrix) -> SmokeCheck:
    broken = int(np.count_nonzero(~np.isfinite(rows)))
    return SmokeCheck(NOT_FINITE, str(broken), "0", broken == 0)


def _output_checks(rows: Matrix, golden: Matrix, tolerance: Tolerance) -> list[SmokeCheck]:
    if tolerance.cosine is None or tolerance.max_abs is None:
        raise ValueError("the tolerance was not resolved")
    least, most = lowest_cosine(rows, golden), distance(rows, golden)
    wanted, allowed = _digits(tolerance.cosine), f"<= {tolerance.max_abs:.3g}"
    checks = [
        SmokeCheck("lowest cosine similarity", _digits(least), f">= {wanted}", least >= tolerance.cosine),
        SmokeCheck("greatest difference", f"{most:.3g}", allowed, most <= tolerance.max_abs),
    ]
    if tolerance.top_k is not None:
        share = agreement(rows, golden, tolerance.top_k)
        name = f"same {tolerance.top_k} greatest"
        checks.append(SmokeCheck(name, f"{share:.3g}", f">= {tolerance.agreement:g}", share >= tolerance.agreement))
    if tolerance.exact:
        other = int(np.count_nonzero(rows != golden))
        checks.append(SmokeCheck("values that differ", str(other), "0", other == 0))
    return checks


def _digits(similarity: float) -> str:
    """As many digits as tell it from 1, and six at least."""
    return f"{similarity:.6f}" if 1.0 - similarity > 1e-5 else f"{similarity:.12g}"


def _perplexity_checks(observed: Observed, golden: Golden, tolerance: Tolerance) -> list[SmokeCheck]:
    if tolerance.perplexity is None:
        return []
    pairs = list(zip(observed.perplexity, golden.perplexity, strict=False))
    wanted = f"<= {tolerance.perplexity:g} above the recorded"
    if not pairs or len(observed.perplexity) != len(golden.perplexity):
        return [SmokeCheck("perplexity", "not measured", wanted, passed=False)]
    rise = max(now / then - 1.0 if then else np.inf for now, then in pairs)
    return [SmokeCheck("perplexity", f"{rise:+.3g}", wanted, bool(rise <= tolerance.perplexity))]


def _gpu_checks(observed: Observed) -> list[SmokeCheck]:
    if observed.gpu is None:
        return []
    return [SmokeCheck(GPU_USED, observed.accelerator, observed.gpu, observed.accelerator != "cpu")]


def _latency_checks(median_s: float, tolerance: Tolerance) -> list[SmokeCheck]:
    if tolerance.latency_s is None:
        return []
    held = median_s <= tolerance.latency_s
    return [SmokeCheck("median latency", f"{median_s:.4f} s", f"<= {tolerance.latency_s:g} s", held)]


def _cause(checks: Sequence[SmokeCheck], observed: Observed, golden: Golden) -> str | None:
    broken = {check.name: check for check in checks if not check.passed}
    if not broken:
        return None
    first = next(iter(broken.values()))
    measured = f"{first.name} {first.measured}, required {first.required}"
    if NOT_FINITE in broken:
        return f"NaN outputs: {broken[NOT_FINITE].measured} values are not finite numbers"
    if GPU_USED in broken:
        return f"GPU present but not used: {observed.gpu} is here, and the model ran on the CPU"
    if all(bounds.is_speed(check) for check in broken.values()):
        return _slow(measured, observed, golden)
    mismatch = mismatch_of(observed.changed)
    if "outputs" in broken or "dimension" in broken:
        return f"{mismatch or 'tokenizer or config mismatch'}: {measured}"
    return f"{mismatch or _drift(first)}: {measured}{_weights(observed)}"


def _drift(first: SmokeCheck) -> str:
    return "a limit is passed" if first.required.endswith(("bytes", " s")) else "accuracy drift"


def _weights(observed: Observed) -> str:
    unlike = observed.weights[1] if observed.weights is not None else ()
    more = f" and {len(unlike) - 3} more" if len(unlike) > 3 else ""
    return f"; in memory {', '.join(unlike[:3])}{more} not as recorded" if unlike else ""


def _slow(measured: str, observed: Observed, golden: Golden) -> str:
    if observed.accelerator == "cpu" and golden.accelerator != "cpu":
        return f"GPU not used: recorded on {golden.accelerator}, ran on the CPU; {measured}"
    return f"slow inference: {measured}"


__all__ = ["Golden", "Matrix", "Observed", "Verdict", "cosine", "judge", "row_holds"]

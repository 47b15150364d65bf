"""Pure comparison of restored outputs with the golden ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dr_lib.model.asset import Tolerance
from dr_lib.model.drill import SmokeCheck
from dr_lib.standby.smoke.diagnosis import mismatch_of

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judged checks in order, and the likely cause when one failed (None when all held)."""

    checks: tuple[SmokeCheck, ...]
    cause: str | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What the restored model did. `median_s` is the median latency of one input in seconds."""

    rows: Matrix
    median_s: float
    accelerator: str
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Golden:
    """What the live model did at backup, and on which accelerator."""

    rows: Matrix
    accelerator: str


def row_holds(row: Matrix, golden: Matrix, tolerance: Tolerance) -> bool:
    """True when one output row is the golden one within the tolerance."""
    if row.shape != golden.shape or not np.isfinite(row).all():
        return False
    return cosine(row, golden) >= tolerance.cosine and _distance(row, golden) <= tolerance.max_abs


def cosine(one: Matrix, other: Matrix) -> float:
    """Cosine similarity in float64; 1.0 for equal rows (also of zeros), 0.0 when just one of them is all zeros."""
    if np.array_equal(one, other):
        return 1.0
    first, second = one.astype(np.float64), other.astype(np.float64)
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norms if norms > 0.0 else 0.0


def judge(observed: Observed, golden: Golden, tolerance: Tolerance) -> Verdict:
    """Compare everything that can be compared; a shape that differs leaves the rows uncompared and fails them."""
    shape = _shape_checks(observed.rows, golden.rows)
    numbers = _number_check(observed.rows)
    checks = [*shape, numbers]
    if all(check.passed for check in checks):
        checks += _distance_checks(observed.rows, golden.rows, tolerance)
    latency = _latency_check(observed.median_s, tolerance)
    checks += [latency] if latency is not None else []
    return Verdict(tuple(checks), _cause(checks, observed, golden))


def _shape_checks(rows: Matrix, golden: Matrix) -> list[SmokeCheck]:
    named = zip(("outputs", "dimension"), rows.shape, golden.shape, strict=True)
    return [SmokeCheck(name, str(have), str(want), have == want) for name, have, want in named]


def _number_check(rows: Matrix) -> SmokeCheck:
    broken = int(np.count_nonzero(~np.isfinite(rows)))
    return SmokeCheck("NaN or infinite values", str(broken), "0", broken == 0)


def _distance_checks(rows: Matrix, golden: Matrix, tolerance: Tolerance) -> list[SmokeCheck]:
    least = min(cosine(row, want) for row, want in zip(rows, golden, strict=True))
    most = _distance(rows, golden)
    return [
        SmokeCheck("lowest cosine similarity", f"{least:.6f}", f">= {tolerance.cosine:g}", least >= tolerance.cosine),
        SmokeCheck("greatest difference", f"{most:.3g}", f"<= {tolerance.max_abs:g}", most <= tolerance.max_abs),
    ]


def _distance(rows: Matrix, golden: Matrix) -> float:
    return float(np.max(np.abs(rows.astype(np.float64) - golden.astype(np.float64)), initial=0.0))


def _latency_check(median_s: float, tolerance: Tolerance) -> SmokeCheck | None:
    if tolerance.latency_s is None:
        return None
    held = median_s <= tolerance.latency_s
    return SmokeCheck("median latency", f"{median_s:.4f} s", f"<= {tolerance.latency_s:g} s", held)


def _cause(checks: list[SmokeCheck], observed: Observed, golden: Golden) -> str | None:
    broken = {check.name: check for check in checks if not check.passed}
    if not broken:
        return None
    first = next(iter(broken.values()))
    measured = f"{first.name} {first.measured}, required {first.required}"
    if "NaN or infinite values" in broken:
        return f"NaN outputs: {broken['NaN or infinite values'].measured} values are not finite numbers"
    if set(broken) == {"median latency"}:
        return _slow(measured, observed, golden)
    mismatch = mismatch_of(observed.changed)
    if "outputs" in broken or "dimension" in broken:
        return f"{mismatch or 'tokenizer or config mismatch'}: {measured}"
    return f"{mismatch or 'accuracy drift'}: {measured}"


def _slow(measured: str, observed: Observed, golden: Golden) -> str:
    if observed.accelerator == "cpu" and golden.accelerator != "cpu":
        return f"GPU not used: recorded on {golden.accelerator}, ran on the CPU; {measured}"
    return f"slow inference: {measured}"

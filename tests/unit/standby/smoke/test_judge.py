from __future__ import annotations

import numpy as np
import pytest

from dr_lib.model.drill import SmokeCheck
from dr_lib.model.smoke import SmokeLimits, Tolerance
from dr_lib.standby.smoke.judge import Golden, Observed, cosine, judge, row_holds

TOLERANCE = Tolerance(cosine=0.999, max_abs=0.01, latency_s=0.5)
ROWS = np.asarray([[1.0, 0.0, 0.5], [0.0, 2.0, -1.0]], dtype=np.float32)


def observed(rows: np.ndarray = ROWS, median_s: float = 0.1, **rest: object) -> Observed:
    return Observed(rows, median_s, rest.pop("accelerator", "cpu"), **rest)


def test_equal_outputs_hold() -> None:
    verdict = judge(observed(), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause is None
    assert all(check.passed for check in verdict.checks)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_named_before_anything_else(value: float) -> None:
    rows = ROWS.copy()
    rows[1, 1] = value
    verdict = judge(observed(rows, changed=("vocab.txt",)), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause == "NaN outputs: 1 values are not finite numbers"


def test_another_dimension_is_a_mismatch() -> None:
    verdict = judge(observed(ROWS[:, :2]), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause == "tokenizer or config mismatch: dimension 2, required 3"


def test_fewer_outputs_are_a_mismatch() -> None:
    verdict = judge(observed(ROWS[:1]), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause == "tokenizer or config mismatch: outputs 1, required 2"


def test_one_row_that_turned_is_drift_though_the_others_agree() -> None:
    rows = ROWS.copy()
    rows[0] = [0.0, 1.0, 0.5]
    verdict = judge(observed(rows), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause is not None
    assert verdict.cause.startswith("accuracy drift: lowest cosine similarity 0.2")


def test_scaled_rows_keep_their_cosine_and_fail_by_difference() -> None:
    verdict = judge(observed(ROWS * np.float32(2)), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause == "accuracy drift: greatest difference 2, required <= 0.01"


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        (("1_Pooling/config.json", "vocab.txt"), "tokenizer mismatch: vocab.txt not as recorded"),
        (("1_Pooling/config.json",), "config mismatch: 1_Pooling/config.json not as recorded"),
        (("model.safetensors",), "accuracy drift"),
    ],
)
def test_drift_is_laid_to_the_files_that_changed(changed: tuple[str, ...], cause: str) -> None:
    verdict = judge(observed(-ROWS, changed=changed), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause is not None
    assert verdict.cause.startswith(cause + ":")


def test_latency_is_judged_only_when_it_was_promised() -> None:
    slow = observed(median_s=0.9)
    assert judge(slow, Golden(ROWS, "cpu"), Tolerance(0.999, 0.01)).cause is None
    verdict = judge(slow, Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause == "slow inference: median latency 0.9000 s, required <= 0.5 s"


def test_slow_on_a_cpu_after_a_recording_on_a_gpu_names_the_gpu() -> None:
    verdict = judge(observed(median_s=0.9), Golden(ROWS, "Some GPU"), TOLERANCE)
    assert verdict.cause is not None
    assert verdict.cause.startswith("GPU not used: recorded on Some GPU")


def test_zero_rows() -> None:
    zero, one = np.zeros(3, np.float32), np.ones(3, np.float32)
    assert cosine(zero, zero) == 1.0
    assert cosine(zero, one) == 0.0


def test_a_row_holds_only_within_both_tolerances() -> None:
    near = ROWS[0] + np.float32(0.001)
    assert row_holds(near, ROWS[0], TOLERANCE)
    assert not row_holds(near, ROWS[0], Tolerance(cosine=0.999, max_abs=1e-6))
    assert not row_holds(ROWS[0][:2], ROWS[0], TOLERANCE)
    assert not row_holds(ROWS[0] * np.float32(np.nan), ROWS[0], TOLERANCE)


def checks_of(observed_one: Observed, golden: Golden, tolerance: Tolerance) -> dict[str, bool]:
    return {check.name: check.passed for check in judge(observed_one, golden, tolerance).checks}


def test_the_greatest_elements_must_be_the_same_ones() -> None:
    rows, golden = np.asarray([[3.0, 2.0, 1.0]], np.float32), np.asarray([[3.0, 1.0, 2.0]], np.float32)
    wide = Tolerance(cosine=0.0, max_abs=10.0, top_k=2, agreement=1.0)
    assert checks_of(observed(rows), Golden(golden, "cpu"), wide)["same 2 greatest"] is False
    half = Tolerance(cosine=0.0, max_abs=10.0, top_k=2, agreement=0.5)
    assert checks_of(observed(rows), Golden(golden, "cpu"), half)["same 2 greatest"] is True


def test_exact_means_every_bit() -> None:
    exact = Tolerance(cosine=0.0, max_abs=10.0, exact=True)
    assert checks_of(observed(), Golden(ROWS, "cpu"), exact)["values that differ"] is True
    other = np.nextafter(ROWS, np.float32(10))
    assert checks_of(observed(other), Golden(ROWS, "cpu"), exact)["values that differ"] is False


def test_perplexity_may_rise_by_the_tolerance_and_must_be_measured() -> None:
    allowed = Tolerance(cosine=0.0, max_abs=10.0, perplexity=0.01)
    golden = Golden(ROWS, "cpu", perplexity=(10.0, 20.0))
    assert checks_of(observed(perplexity=(10.05, 20.0)), golden, allowed)["perplexity"] is True
    assert checks_of(observed(perplexity=(10.05, 20.5)), golden, allowed)["perplexity"] is False
    assert checks_of(observed(), golden, allowed)["perplexity"] is False
    assert checks_of(observed(perplexity=(10.0,)), golden, allowed)["perplexity"] is False


def test_a_gpu_that_is_there_must_be_used() -> None:
    verdict = judge(observed(gpu="H100"), Golden(ROWS, "H100"), TOLERANCE)
    assert verdict.cause == "GPU present but not used: H100 is here, and the model ran on the CPU"
    assert judge(observed(gpu="H100", accelerator="H100"), Golden(ROWS, "H100"), TOLERANCE).cause is None


def test_weights_that_no_answer_depends_on_are_named() -> None:
    unlike = (SmokeCheck("loaded weights", "1 as recorded", "2 as recorded", passed=False), ("pooler.weight",))
    verdict = judge(observed(weights=unlike), Golden(ROWS, "cpu"), TOLERANCE)
    assert verdict.cause is not None
    assert verdict.cause.endswith("; in memory pooler.weight not as recorded")


def test_a_limit_that_is_passed_is_no_drift() -> None:
    verdict = judge(
        observed(measures={"peak_rss_bytes": 2e9}), Golden(ROWS, "cpu"), TOLERANCE, SmokeLimits(peak_rss_bytes=10)
    )
    assert verdict.cause == "a limit is passed: peak memory 2e+09 bytes, required <= 10 bytes"

"""Tolerances that were measured: as wide as the right model needs, and no wider."""

from __future__ import annotations

import numpy as np
import pytest

from dr_lib.model.smoke import Tolerance
from dr_lib.standby.smoke.calibration import MARGIN, UNCALIBRATED, Spread, resolve, spread

ROWS = np.asarray([[1.0, 0.0, 0.5], [0.0, 2.0, -1.0]], dtype=np.float32)


def test_the_spread_is_the_greatest_of_all_ways() -> None:
    near, far = ROWS + np.float32(1e-6), ROWS.copy()
    far[1, 1] += np.float32(0.25)
    found = spread(ROWS, [ROWS, near, far])
    assert found.difference == pytest.approx(0.25)
    assert found.gap > 0
    assert found.ways == 3


def test_a_model_that_repeats_itself_to_the_bit_has_no_spread() -> None:
    assert spread(ROWS, [ROWS, ROWS.copy()]) == Spread(0.0, 0.0, 2)


def test_what_was_measured_times_the_margin_is_the_tolerance() -> None:
    found = resolve(Tolerance(), ROWS, Spread(1e-4, 1e-6, 4), elsewhere=False)
    assert found.max_abs == pytest.approx(1e-4 * MARGIN)
    assert found.cosine == pytest.approx(1 - 1e-6 * MARGIN)


def test_no_tolerance_is_less_than_another_processor_needs() -> None:
    found = resolve(Tolerance(), ROWS, Spread(0.0, 0.0, 4), elsewhere=False)
    assert found.max_abs == pytest.approx(2e-6)
    assert found.cosine is not None
    assert 0 < 1 - found.cosine < 1e-8


def test_another_accelerator_may_stray_further() -> None:
    here = resolve(Tolerance(), ROWS, Spread(1e-6, 1e-11, 4), elsewhere=False)
    there = resolve(Tolerance(), ROWS, Spread(1e-6, 1e-11, 4), elsewhere=True)
    assert here.max_abs is not None
    assert there.max_abs is not None
    assert there.max_abs > 10 * here.max_abs


def test_what_the_configuration_says_is_not_measured() -> None:
    said = Tolerance(cosine=0.9, max_abs=0.5, top_k=3, exact=True)
    assert resolve(said, ROWS, Spread(1e-6, 1e-11, 4), elsewhere=False) == said
    assert resolve(said, ROWS, None, elsewhere=False) == said


def test_a_point_from_before_anything_was_measured_has_the_old_tolerances() -> None:
    found = resolve(Tolerance(latency_s=1.0), ROWS, None, elsewhere=False)
    assert (found.cosine, found.max_abs, found.latency_s) == (UNCALIBRATED.cosine, UNCALIBRATED.max_abs, 1.0)

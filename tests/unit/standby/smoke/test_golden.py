"""Golden outputs come from a vault: they may be missing, cut short, or of something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.standby.smoke.golden import read_golden

GOOD = {
    "loader": "this",
    "inputs": ["a", "b"],
    "outputs": [[1.0, 2.0], [3.0, 4.0]],
    "accelerator": "cpu",
    "files": {},
    "latency": {"latency_p50_s": 0.1},
}


def test_a_recording_from_before_calibration_is_read(tmp_path: Path) -> None:
    (tmp_path / "golden.json").write_text(json.dumps(GOOD))
    found = read_golden(tmp_path / "golden.json", "this")
    assert (found.inputs, found.spread, found.weights) == (["a", "b"], None, {})
    assert found.golden.median_s == 0.1


def test_one_that_is_missing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no golden outputs"):
        read_golden(tmp_path / "golden.json", "this")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", json.dumps(GOOD | {"outputs": []}), json.dumps(GOOD | {"outputs": [[1.0], [2.0, 3]]}),
     json.dumps(GOOD | {"outputs": [[1.0, 2.0]]}), json.dumps(GOOD | {"inputs": 7}), json.dumps(GOOD | {"spread": 3}),
     json.dumps(GOOD | {"weights": 3}), json.dumps(GOOD | {"latency": 3}), json.dumps(GOOD | {"files": 3})],
    ids=["empty", "cut", "list", "null", "nothing", "no rows", "ragged", "rows missing", "inputs", "spread", "weights",
         "latency", "files"],
)  # fmt: skip
def test_one_that_does_not_parse_is_damage(tmp_path: Path, text: str) -> None:
    (tmp_path / "golden.json").write_text(text)
    with pytest.raises(IntegrityError, match="golden outputs cannot be read"):
        read_golden(tmp_path / "golden.json", "this")


def test_one_of_another_loader_is_refused(tmp_path: Path) -> None:
    (tmp_path / "golden.json").write_text(json.dumps(GOOD))
    with pytest.raises(IntegrityError, match="recorded with the loader this, not other"):
        read_golden(tmp_path / "golden.json", "other")

"""The control's own process: it finishes, hangs or dies, and what it would have shown is then unknown."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from dr_lib.model.asset import AssetKind
from dr_lib.standby.child_process import Finished
from dr_lib.standby.control import ControlRequest, Older, control
from dr_lib.standby.control.request import NAMES
from dr_lib.standby.smoke import SmokeRequest


def request_of(kind: AssetKind, directory: Path, attachments: Path) -> ControlRequest:
    return ControlRequest(SmokeRequest(kind, directory, attachments, timeout_s=7), "drill", Older("none"), 5.0)


@pytest.mark.parametrize(
    ("finished", "why"),
    [
        (Finished(-9, b"", b""), "out of memory, most likely: the control was killed (SIGKILL) from outside"),
        (Finished(0, b"nonsense", b"last words"), "the control gave no readable answer: last words"),
        (Finished(0, b'{"error": "the tables are gone"}', b""), "the tables are gone"),
    ],
)
def test_a_process_that_gives_no_answer_leaves_all_unknown(tmp_path: Path, finished: Finished, why: str):
    found = control(request_of(AssetKind.DATASET, tmp_path, tmp_path), start=lambda *_: finished)
    assert [(one.name, one.caught, one.detail) for one in found.controls] == [
        (name, None, why) for name in NAMES[AssetKind.DATASET]
    ]
    assert found.detection_limit is None


def test_one_that_hangs_is_ended_in_time(tmp_path: Path):
    limits: list[float] = []

    def hang(_module: str, _question: bytes, timeout_s: float) -> Finished:
        limits.append(timeout_s)
        raise subprocess.TimeoutExpired("control", timeout_s)

    found = control(request_of(AssetKind.MODEL, tmp_path, tmp_path), start=hang)
    assert limits == [7 * 4 + 5]
    assert {one.detail for one in found.controls} == {"the control hung: no answer within 33 s"}


def test_the_real_model_is_held_to_damaged_copies(model_asset: Any, live_model: Path, golden: Path):
    smoke = SmokeRequest.from_asset(model_asset, live_model, golden)
    found = control(ControlRequest(smoke, "one drill", Older("there is no older point"), 1.0))
    assert [one.caught for one in found.controls] == [True, True, None]
    assert found.seconds > 0
    # A pooler's weights move no answer of this model, and then no limit is told.
    assert found.note or found.detection_limit is not None

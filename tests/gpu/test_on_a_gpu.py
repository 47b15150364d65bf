"""What only a machine with a CUDA device can show: `make test-gpu`. Without one these are not run, and say so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dr_lib.demo import assets
from dr_lib.model.asset import AssetKind
from dr_lib.model.drill import SmokeResult
from dr_lib.model.smoke import Tolerance
from dr_lib.standby import smoke
from dr_lib.standby.environment import capture, gpu_name
from dr_lib.standby.proof import encoded
from dr_lib.standby.smoke.request import GOLDEN
from dr_lib.standby.smoke.sentences import SENTENCES
from tests.plugins.not_run import NO_GPU

pytestmark = pytest.mark.skipif(gpu_name() is None, reason=NO_GPU)
LOADER = "sentence-transformers"


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> smoke.SmokeRequest:
    """The real model with golden outputs that this GPU gave."""
    folder = tmp_path_factory.mktemp("gpu")
    assets.stage_model(folder / "minilm")
    inputs = list(SENTENCES)
    golden = smoke.record_golden(folder / "minilm", LOADER, inputs, [None] * len(inputs), Tolerance(), timeout_s=600)
    (folder / GOLDEN).write_bytes(encoded(golden))
    return smoke.SmokeRequest(AssetKind.MODEL, folder / "minilm", folder, LOADER, Tolerance())


@pytest.fixture(scope="module")
def result(request_: smoke.SmokeRequest) -> SmokeResult:
    return smoke.run(request_)


def test_the_smoke_test_runs_on_it_and_names_it(result: SmokeResult) -> None:
    assert (result.passed, result.cause) == (True, None)
    assert result.accelerator == gpu_name()


def test_its_memory_and_its_use_are_measured(result: SmokeResult) -> None:
    assert result.measures["peak_gpu_bytes"] > 22_713_216 * 4
    assert 0 <= result.measures["gpu_utilisation"] <= 1


def test_the_environment_names_driver_cuda_and_memory() -> None:
    found = capture()
    assert found["driver"] != "none"
    assert found["cuda"] != "none"
    assert int(found["vram_bytes"]) > 0


def test_answers_that_were_recorded_on_a_cpu_hold(
    request_: smoke.SmokeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    inputs = list(SENTENCES)
    golden = smoke.record_golden(request_.directory, LOADER, inputs, [None] * len(inputs), Tolerance(), timeout_s=600)
    assert golden["accelerator"] == "cpu"
    (tmp_path / GOLDEN).write_text(json.dumps(golden))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert smoke.run(replace(request_, attachments=tmp_path)).passed

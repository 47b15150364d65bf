"""A whole drill whose standby has a GPU, and weights streamed from a vault onto it: `make test-gpu`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dr_lib.demo import assets
from dr_lib.runtime import Runtime
from dr_lib.standby.environment import gpu_name
from dr_lib.tensors import load_state_dict
from tests.disk_regions import regions_on_disk
from tests.keys import keys
from tests.plugins.not_run import NO_GPU

pytestmark = pytest.mark.skipif(gpu_name() is None, reason=NO_GPU)
ASSET = "minilm"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the live model, the regions and the standbys lie."""
    return tmp_path_factory.mktemp("gpu drill")


@pytest.fixture(scope="module")
def runtime(home: Path) -> Runtime:
    """The real model, backed up to two regions; its smoke test demands a GPU."""
    assets.stage_model(home / ASSET)
    regions = regions_on_disk(home, "east", "west")
    smoke = {"loader": "sentence-transformers", "device": "cuda"}
    asset = {"kind": "model", "source": str(home / ASSET), "regions": list(regions), "smoke": smoke}
    config = {"version": 1, "regions": regions, "assets": {ASSET: asset}} | keys().config()
    (home / "dr.yaml").write_text(json.dumps(config))
    local = {
        "DR_STATE_DIR": str(home / "state"),
        "DR_CACHE_DIR": str(home / "cache"),
        "DR_STANDBY_DIR": str(home / "s"),
    }
    runtime = Runtime.load(home / "dr.yaml", environ={"PATH": "/usr/bin:/bin", **keys().all(), **local})
    runtime.initialize()
    runtime.backup(ASSET)
    runtime.verify(ASSET, mode="full")
    return runtime


def test_a_drill_recovers_on_it_and_the_evidence_names_it(runtime: Runtime) -> None:
    evidence = runtime.drill(ASSET, scenario="region-lost")
    print(json.dumps(evidence, indent=1, default=str))
    assert (evidence["verdict"], evidence["reasons"]) == ("proven", [])
    assert evidence["smoke"]["accelerator"] == gpu_name()
    assert evidence["smoke"]["measures"]["peak_gpu_bytes"] > 0
    assert {control["caught"] for control in evidence["control"]["controls"]} <= {True, None}
    assert not any("GPU" in gap for gap in evidence["unproven"])


def test_weights_lie_on_it_as_they_lie_in_the_live_model(runtime: Runtime, home: Path) -> None:
    from safetensors.numpy import load_file

    live = load_file(home / ASSET / "model.safetensors")
    found = load_state_dict(ASSET, config=runtime, file="model.safetensors", device="cuda")
    assert sorted(found) == sorted(live)
    assert {tensor.device.type for tensor in found.values()} == {"cuda"}
    assert all(np.array_equal(found[name].cpu().numpy(), live[name]) for name in live)

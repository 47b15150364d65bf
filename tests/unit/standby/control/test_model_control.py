"""The control of a model: a test that looks notices, one that does not is exposed, and unknown is no catch."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dr_lib.standby.control import models
from dr_lib.standby.control.weights import safetensors_files
from dr_lib.standby.proof import encoded
from dr_lib.standby.smoke import model_probe
from tests.unit.standby.control import little

HERE = "tests.unit.standby.control.little"
PERTURBED, SWAPPED, OLDER = "a tensor perturbed", "two layers swapped", "a file of an older point"
Controlled = Callable[..., dict[str, Any]]


@pytest.fixture
def controlled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controlled:
    """Record a model with a loader, then hold the test to its control: the document, and the controls by name."""

    def control(loader: str, tensors: dict[str, torch.Tensor] | None = None, **more: Any) -> dict[str, Any]:
        live = tmp_path / "restored"
        little.write(live, tensors if tensors is not None else little.state())
        name = loader if loader == "safetensors" else f"{HERE}:{loader}"
        request: dict[str, Any] = {"directory": str(live), "loader": name, "inputs": little.INPUTS, "tolerance": {}}
        (tmp_path / "golden.json").write_bytes(encoded(model_probe.record(request)))
        (tmp_path / "home").mkdir()
        monkeypatch.chdir(tmp_path / "home")
        asked = {"attachments": str(tmp_path), "seed": "drill", "search_s": 60.0, "started": 0.0}
        asked["older"] = {"said": "there is no older point", "path": "", "directory": ""}
        before = {path: path.read_bytes() for path in live.rglob("*") if path.is_file()}
        told = models.control(request | asked | more)
        assert {path: path.read_bytes() for path in live.rglob("*") if path.is_file()} == before
        assert list((tmp_path / "home").iterdir()) == []
        return told | {"by": {one["name"]: (one["caught"], one["detail"]) for one in told["controls"]}}

    return control


def test_a_test_that_looks_notices_each_damage(controlled: Controlled, tmp_path: Path):
    older = little.write(tmp_path / "older", little.state(2))
    told = controlled("chained", older={"said": "P1", "path": "part-1.safetensors", "directory": str(older)})
    assert [caught for caught, _ in told["by"].values()] == [True, True, True]
    assert "with noise of 0.01 of its norm: lowest cosine similarity" in told["by"][PERTURBED][1]
    assert " swapped: " in told["by"][SWAPPED][1]
    assert told["by"][OLDER][1].startswith("part-1.safetensors as P1 has it: ")
    assert 1e-7 <= told["limit"] < 0.01
    assert told["tensor"].endswith(".weight")


def test_a_test_that_does_not_look_is_exposed(controlled: Controlled):
    told = controlled("constant")
    assert told["by"][PERTURBED][0] is False
    assert told["by"][SWAPPED][0] is False
    assert told["limit"] is None
    assert "noise of its whole norm does not move them" in told["note"]


def test_weights_in_memory_are_noticed_and_do_not_count_for_the_limit(controlled: Controlled):
    told = controlled("shown")
    assert (told["by"][PERTURBED][0], told["by"][SWAPPED][0]) == (True, True)
    assert "loaded weights" in told["by"][PERTURBED][1]
    assert told["limit"] is None


def test_a_loader_that_refuses_damage_has_noticed_it(controlled: Controlled):
    caught, detail = controlled("picky")["by"][PERTURBED]
    assert caught is True
    assert "these are not the weights that I know" in detail


def test_running_out_of_memory_is_no_catch(controlled: Controlled):
    told = controlled("greedy")
    assert (told["by"][PERTURBED][0], told["by"][SWAPPED][0]) == (None, None)
    assert "it could not be tried: out of memory" in told["by"][PERTURBED][1]


def test_a_full_disk_is_no_catch(controlled: Controlled, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(safetensors_files.shutil, "copyfile", full)
    told = controlled("chained")
    assert {caught for caught, _ in told["by"].values()} == {None}
    assert "the damaged copy could not be made" in told["by"][PERTURBED][1]
    assert "No space left" in told["by"][PERTURBED][1]
    assert told["note"].startswith("not looked for")


def test_what_cannot_be_damaged_says_why(controlled: Controlled):
    same = {name: little.state()["model.layers.0.weight"] * 0.0 for name in little.state()}
    told = controlled("safetensors", same)
    assert told["by"] == {
        PERTURBED: (None, "the model holds no floating-point tensor that is finite and not zero"),
        SWAPPED: (None, "the model has no two layers of one make that differ"),
        OLDER: (None, "there is no older point"),
    }


def test_noise_goes_where_numbers_are(controlled: Controlled):
    tensors = little.state()
    tensors["model.layers.0.weight"][0, 0] = float("nan")
    tensors["model.layers.1.weight"] *= 0
    told = controlled("last", tensors)
    assert told["by"][PERTURBED][0] is True
    assert "model.layers.2.weight with noise" in told["by"][PERTURBED][1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_all_sizes_of_numbers(controlled: Controlled, dtype: torch.dtype):
    told = controlled("chained", little.state(dtype=dtype))
    assert (told["by"][PERTURBED][0], told["by"][SWAPPED][0]) == (True, True)
    assert told["limit"] is not None


def test_an_undamaged_copy_that_fails_leaves_all_unknown(controlled: Controlled, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model_probe, "answers", lambda _: (_ for _ in ()).throw(RuntimeError("the device is gone")))
    told = controlled("chained")
    assert {caught for caught, _ in told["by"].values()} == {None}
    assert "an undamaged copy does not pass" in told["by"][PERTURBED][1]
    assert "limit" not in told

"""Weights in each form that they are stored in: read, changed one at a time, and everything else left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dr_lib.standby.control.trial import Inapplicable
from dr_lib.standby.control.weights import weights_of
from dr_lib.standby.smoke.loaders import load
from tests.unit.standby.control import little
from tests.unit.standby.programs import ARRAYS, FORMS, Linear


@pytest.mark.parametrize("loader", FORMS)
def test_a_program_with_one_tensor_changed_answers_accordingly(loader: str, tmp_path: Path):
    torch.manual_seed(1)
    linear = Linear().eval()
    live = tmp_path / "live"
    live.mkdir()
    FORMS[loader](live, linear)
    (live / "labels.txt").write_text("a\nb\n")
    weights = weights_of(loader, live)
    assert {(one.key, one.shape, one.is_float) for one in weights.tensors} == {
        ("layer.weight", (2, 3), True), ("layer.bias", (2,), True)
    }  # fmt: skip
    assert torch.equal(weights.read("layer.weight"), linear.layer.weight.detach())

    weights.write(tmp_path / "same", {})
    weights.write(tmp_path / "other", {"layer.bias": lambda: weights.read("layer.bias") + 1})
    right = load(loader, live).answer(ARRAYS)
    assert load(loader, tmp_path / "same").answer(ARRAYS) == pytest.approx(right, abs=1e-6)
    assert load(loader, tmp_path / "other").answer(ARRAYS) == pytest.approx(right + 1, abs=1e-6)
    assert load(loader, live).answer(ARRAYS) == pytest.approx(right, abs=0)
    assert (tmp_path / "other" / "labels.txt").read_text() == "a\nb\n"


def test_only_files_that_change_are_written(tmp_path: Path):
    live = little.write(tmp_path / "live", little.state())
    weights = weights_of("safetensors", live)
    key = "part-1.safetensors:model.layers.1.weight"
    weights.write(tmp_path / "copy", {key: lambda: torch.zeros(little.WIDTH, little.WIDTH)})
    written = [path.name for path in (tmp_path / "copy").rglob("*") if path.is_file() and not path.is_symlink()]
    assert written == ["part-1.safetensors"]
    assert float(weights_of("safetensors", tmp_path / "copy").read(key).abs().sum()) == 0
    assert float(weights.read(key).abs().sum()) > 0


def test_a_form_that_is_not_known_says_so(tmp_path: Path):
    with pytest.raises(Inapplicable, match=r"own:load reads a form of weights that cannot be damaged"):
        weights_of("own:load", tmp_path)

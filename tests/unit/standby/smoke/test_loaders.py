"""Loaders over small models that are made here: what they answer, what they show, and what they never run."""

from __future__ import annotations

import json
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dr_lib.errors import IntegrityError, Refused, UsageError
from dr_lib.standby.smoke.loaders import load
from dr_lib.standby.smoke.weights import digests
from tests.unit.standby import programs
from tests.unit.standby.programs import ARRAYS, Linear


class Executes:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.fixture(scope="module")
def linear() -> Linear:
    torch.manual_seed(1)
    return Linear().eval()


def rows_of(linear: Linear) -> np.ndarray:
    return np.stack([linear(torch.tensor(x)).detach().numpy().reshape(-1) for x in ARRAYS])


@pytest.fixture(scope="module")
def script(linear: Linear, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("script")
    programs.script(folder, linear)
    return folder


@pytest.fixture(scope="module")
def exported(linear: Linear, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    programs.exported(folder, linear)
    return folder


@pytest.fixture(scope="module")
def onnx_model(linear: Linear, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    programs.onnx_file(folder, linear)
    return folder


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that predicts what comes next, with a tokenizer of five words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("predictor")
    words = Tokenizer(models.WordLevel({"<end>": 0, "a": 1, "b": 2, "c": 3, "?": 4}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", unk_token="?").save_pretrained(folder)
    torch.manual_seed(2)
    config = GPT2Config(vocab_size=5, n_positions=16, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("loader", ["torchscript", "torch-export", "onnxruntime"])
def test_a_program_answers_arrays_as_the_model_does(
    loader: str, linear: Linear, script: Path, exported: Path, onnx_model: Path
) -> None:
    folder = {"torchscript": script, "torch-export": exported, "onnxruntime": onnx_model}[loader]
    model = load(loader, folder)
    assert model.answer(ARRAYS) == pytest.approx(rows_of(linear), abs=1e-6)
    assert model.answer([{"x": ARRAYS[0]}]) == pytest.approx(rows_of(linear)[:1], abs=1e-6)
    shown = digests(model)
    assert bool(shown) is (loader != "onnxruntime")


@pytest.mark.parametrize(
    ("loader", "ending"), [("torchscript", ".pt"), ("torch-export", ".pt2"), ("onnxruntime", ".onnx")]
)
def test_a_folder_without_the_file_says_so(loader: str, ending: str, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=f"one file ending in {ending}.*none"):
        load(loader, tmp_path)


def test_a_predictor_answers_in_a_batch_as_alone_and_has_a_perplexity(predictor: Path) -> None:
    model: Any = load("transformers", predictor)
    asked = ["a b c", "b", [1, 2]]
    together = model.answer(asked)
    assert together.shape == (3, 5)
    assert together == pytest.approx(np.stack([model.answer([one])[0] for one in asked]), abs=1e-5)
    found = model.perplexity(["a b c", "b a"])
    assert len(found) == 2
    assert all(1 < one < 100 for one in found)


def test_weights_that_the_library_would_make_up_are_missing(predictor: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in predictor.iterdir():
        os.link(path, tmp_path / path.name)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["transformer.h.0.mlp.c_fc.weight"]
    (tmp_path / "model.safetensors").unlink()
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(IntegrityError, match=r"missing weights: transformer\.h\.0\.mlp\.c_fc\.weight"):
        load("transformers", tmp_path)


def test_the_generic_loader_sees_every_tensor(predictor: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = load("safetensors", predictor)
    rows = model.answer(["every tensor"])
    assert rows.shape == (1, 3 * len(digests(model)))
    tensors = load_file(predictor / "model.safetensors")
    name = max(tensors)
    tensors[name] = tensors[name] * 1.01
    save_file(tensors, tmp_path / "model.safetensors")
    other = load("safetensors", tmp_path)
    assert not np.array_equal(other.answer(["every tensor"]), rows)
    unlike = [one for one, digest in digests(other).items() if digests(model)[one] != digest]
    assert unlike == [f"model.safetensors/{name}"]


def test_a_loader_of_the_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owners_loader.py").write_text(
        "def doubled(directory):\n    return lambda inputs: [[2 * x] for x in inputs]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load("owners_loader:doubled", tmp_path).answer([1, 2]).tolist() == [[2.0], [4.0]]
    with pytest.raises(UsageError, match="is not here"):
        load("owners_loader:gone", tmp_path)
    with pytest.raises(UsageError, match="is not here"):
        load("no_such_module_anywhere:gone", tmp_path)
    sys.modules.pop("owners_loader")


def test_a_loader_that_answers_too_little_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "short_loader.py").write_text("def short(directory):\n    return lambda inputs: [[1.0]]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match="answered 2 inputs with the shape"):
        load("short_loader:short", tmp_path).answer([1, 2])
    sys.modules.pop("short_loader")


def _with_pickles(source: Path, target: Path, data: bytes) -> int:
    """Every pickle of an archive becomes `data`; how many there were."""
    replaced = 0
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            is_pickle = entry.filename.endswith(".pkl")
            replaced += is_pickle
            new.writestr(entry.filename, data if is_pickle else old.read(entry))
    return replaced


def test_a_pickle_in_a_torchscript_archive_is_not_run(script: Path, tmp_path: Path) -> None:
    harm = pickle.dumps(Executes(tmp_path / "it ran"))
    assert _with_pickles(script / "model.pt", tmp_path / "model.pt", harm) >= 1
    with pytest.raises(Exception, match=r".+"):
        load("torchscript", tmp_path)
    assert not (tmp_path / "it ran").exists()


def test_a_pickle_in_an_exported_program_is_refused(exported: Path, tmp_path: Path) -> None:
    """A constant that the archive calls an opaque object is one that torch would unpickle."""
    harm = pickle.dumps(Executes(tmp_path / "it ran"))
    with zipfile.ZipFile(exported / "model.pt2") as old, zipfile.ZipFile(tmp_path / "model.pt2", "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith("_constants_config.json"):
                opaque = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
                data = json.dumps({"config": {"harm": opaque}}).encode()
                folder = entry.filename.rpartition("/")[0]
                new.writestr(f"{folder}/opaque_obj_0", harm)
            new.writestr(entry.filename, data)
    with pytest.raises(Refused, match="pickled objects can run code"):
        load("torch-export", tmp_path)
    assert not (tmp_path / "it ran").exists()

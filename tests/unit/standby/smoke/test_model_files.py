from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from dr_lib.errors import IntegrityError, Refused
from dr_lib.standby.smoke.model_files import Differences, differences, facts, require_loadable


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    save_file({"w": np.zeros(4, np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def test_pickled_weights_alone_are_refused_without_opening_them(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04not even a pickle")
    with pytest.raises(Refused, match=r"refused to load pytorch_model\.bin"):
        require_loadable(tmp_path)


def test_pickled_weights_beside_safetensors_are_left_alone(directory: Path) -> None:
    (directory / "pytorch_model.bin").write_bytes(b"\x80\x04")
    require_loadable(directory)


def test_an_absent_shard_is_named(directory: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model.safetensors"}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(IntegrityError, match=r"missing shard: model-00001-of-00002\.safetensors"):
        require_loadable(directory)


def test_a_directory_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing file: there are no safetensors weights"):
        require_loadable(tmp_path)


def test_differences_name_missing_and_changed_files(directory: Path) -> None:
    (directory / "vocab.txt").write_text("a")
    recorded = facts(directory)
    assert differences(directory, recorded) == Differences((), ())

    (directory / "vocab.txt").write_text("b")
    (directory / "config.json").unlink()
    (directory / "README.md").write_text("not recorded")

    assert differences(directory, recorded) == Differences(missing=("config.json",), changed=("vocab.txt",))

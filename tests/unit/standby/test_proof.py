from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dr_lib.errors import NotFound, SourceUnstable, UsageError
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.smoke import SmokePolicy, Tolerance
from dr_lib.standby.proof import record_proof
from dr_lib.standby.smoke.sentences import SENTENCES

AssetOf = Callable[..., Asset]


def _policy(golden: Path | None = None) -> SmokePolicy:
    return SmokePolicy("sentence-transformers", golden, Tolerance(0.999, 1e-3))


def test_golden_outputs_are_whole_float32_rows_of_the_live_model(golden: Path) -> None:
    recorded = json.loads((golden / "golden.json").read_bytes())

    assert recorded["inputs"] == list(SENTENCES)
    rows = np.asarray(recorded["outputs"], dtype=np.float64)
    assert rows.shape == (len(SENTENCES), 384)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-6)
    # Full precision: rounding any number to six digits would lose some of them.
    assert not np.array_equal(rows.astype(np.float32), np.round(rows, 6).astype(np.float32))
    # Sentences that mean the same are closer than those that do not: these are answers, not numbers.
    assert rows[0] @ rows[1] > 0.5 > rows[0] @ rows[2]


def test_golden_outputs_carry_their_environment_latency_and_files(golden: Path) -> None:
    recorded = json.loads((golden / "golden.json").read_bytes())

    assert recorded["loader"] == "sentence-transformers"
    assert recorded["environment"]["torch"].startswith("2.")
    assert recorded["latency"]["latency_p50_s"] > 0
    assert recorded["files"]["model.safetensors"] == {"size": 90868376, "sha256": None}
    assert len(recorded["files"]["tokenizer.json"]["sha256"]) == 64
    # Asked again in other ways it strays a little, and less than any damage moves it.
    assert recorded["spread"]["ways"] == 4
    assert 0 < recorded["spread"]["difference"] < 1e-5


def test_dataset_proof_names_rows_and_typed_columns(tables: Path, dataset_asset: Asset) -> None:
    recorded = json.loads((tables / "tables.json").read_bytes())["tables"]

    assert sorted(recorded) == ["breast_cancer.parquet", "digits.parquet"]
    assert recorded["digits.parquet"]["rows"] == 1797
    assert recorded["digits.parquet"]["columns"][0] == ["pixel_0_0", "double"]
    assert recorded["digits.parquet"]["columns"][-1] == ["target", "int64"]
    assert dataset_asset.expectations is not None
    assert (tables / "expectations.json").read_bytes() == dataset_asset.expectations.read_bytes()


def test_a_model_without_a_smoke_policy_has_no_proof(asset_of: AssetOf, tmp_path: Path) -> None:
    assert record_proof(asset_of(AssetKind.MODEL), tmp_path) == {}


def test_a_live_model_that_cannot_be_loaded_names_the_cause(asset_of: AssetOf, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{broken}")
    with pytest.raises(SourceUnstable, match=r"damaged weights: model\.safetensors") as caught:
        record_proof(asset_of(AssetKind.MODEL, smoke=_policy()), tmp_path)
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        '{"inputs": "x"}',
        "[1]",
        "not json",
        '{"input": 4}',
        '{"input": ""}',
        '{"input": "x", "output": [1, "y"]}',
    ],
)
def test_a_golden_file_without_inputs_is_refused(asset_of: AssetOf, tmp_path: Path, text: str) -> None:
    (tmp_path / "golden.jsonl").write_text(text)
    with pytest.raises(UsageError) as caught:
        record_proof(asset_of(AssetKind.MODEL, smoke=_policy(tmp_path / "golden.jsonl")), tmp_path)
    assert caught.value.where is not None
    assert caught.value.where.startswith(str(tmp_path / "golden.jsonl"))


def test_files_that_the_asset_names_must_exist(asset_of: AssetOf, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(NotFound, match="golden inputs"):
        record_proof(asset_of(AssetKind.MODEL, smoke=_policy(gone)), tmp_path)
    with pytest.raises(NotFound, match="expectations"):
        record_proof(asset_of(AssetKind.DATASET, expectations=gone), tmp_path)

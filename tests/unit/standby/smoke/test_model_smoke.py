"""The smoke test of a model, against the real all-MiniLM-L6-v2 and damaged copies of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dr_lib.errors import UsageError
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.drill import SmokeResult
from dr_lib.standby import smoke
from tests.campaigns.noise import with_noise

Smoke = Callable[[Path], SmokeResult]


def replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def test_restored_model_answers_as_recorded(smoke_model: Smoke, restored_model: Path) -> None:
    result = smoke_model(restored_model)

    assert result.cause is None
    assert result.passed
    assert all(check.passed for check in result.checks)
    assert {"outputs", "dimension", "lowest cosine similarity", "greatest difference"} <= {
        c.name for c in result.checks
    }
    assert result.measures["parameters"] == 22_713_216
    assert 0 < result.load_s < result.first_output_s
    assert 0 < result.measures["latency_p50_s"] <= result.measures["latency_p95_s"]
    assert result.measures["throughput_per_s"] > 0
    assert result.measures["peak_rss_bytes"] > (restored_model / "model.safetensors").stat().st_size


def test_a_little_noise_in_the_matrix_that_matters_least_is_accuracy_drift(
    smoke_model: Smoke, live_model: Path, tmp_path: Path
) -> None:
    """`make sensitivity` does this to every matrix; the answers depend on this one the least."""
    with_noise(live_model, tmp_path / "noisy", "encoder.layer.0.attention.self.key.weight", 0.01)

    result = smoke_model(tmp_path / "noisy")

    assert not result.passed
    assert result.cause is not None
    assert result.cause.startswith("accuracy drift: ")
    assert {"greatest difference"} <= {check.name for check in result.checks if not check.passed}


def test_swapped_vocabulary_is_a_tokenizer_mismatch(smoke_model: Smoke, restored_model: Path) -> None:
    path = restored_model / "tokenizer.json"
    document = json.loads(path.read_bytes())
    vocab = document["model"]["vocab"]
    words = [word for word, number in vocab.items() if number >= 1996]
    vocab.update(zip(words, [vocab[word] for word in reversed(words)], strict=True))
    replace(path, json.dumps(document).encode())

    result = smoke_model(restored_model)

    assert not result.passed
    assert result.cause is not None
    assert result.cause.startswith("tokenizer mismatch: tokenizer.json not as recorded")


def test_truncated_weights_are_named(smoke_model: Smoke, restored_model: Path) -> None:
    path = restored_model / "model.safetensors"
    replace(path, path.read_bytes()[:1_000_000])

    result = smoke_model(restored_model)

    assert not result.passed
    assert result.cause is not None
    assert result.cause.startswith("damaged weights: model.safetensors cannot be read")


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors", "1_Pooling/config.json"])
def test_a_missing_file_is_named(smoke_model: Smoke, restored_model: Path, name: str) -> None:
    (restored_model / name).unlink()

    result = smoke_model(restored_model)

    assert not result.passed
    assert result.cause == f"missing file: {name}"


def test_a_config_of_another_size_is_a_config_mismatch(smoke_model: Smoke, restored_model: Path) -> None:
    path = restored_model / "config.json"
    replace(path, json.dumps({**json.loads(path.read_bytes()), "intermediate_size": 1024}).encode())

    result = smoke_model(restored_model)

    assert not result.passed
    assert result.cause is not None
    assert result.cause.startswith("config mismatch: config.json not as recorded")


def test_a_point_without_golden_outputs_proves_nothing(
    model_asset: Asset, restored_model: Path, tmp_path: Path
) -> None:
    result = smoke.run(smoke.SmokeRequest.from_asset(model_asset, restored_model, tmp_path / "none"))

    assert not result.passed
    assert result.cause == "the recovery point holds no golden outputs to compare with"


def test_a_model_without_a_policy_cannot_be_tested(asset_of: Callable[..., Asset], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without a smoke policy"):
        smoke.SmokeRequest.from_asset(asset_of(AssetKind.MODEL), tmp_path, tmp_path)


def test_the_restored_directory_is_left_as_it_was(smoke_model: Smoke, restored_model: Path) -> None:
    def state() -> list[tuple[str, int]]:
        return sorted((str(path), path.stat().st_mtime_ns) for path in restored_model.rglob("*"))

    (restored_model / "vocab.txt").unlink()
    before = state()
    smoke_model(restored_model)
    assert state() == before

"""The smoke test of a dataset, against scikit-learn's tables and damaged copies of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.drill import SmokeResult
from dr_lib.standby import smoke
from dr_lib.standby.proof import record_proof

Smoke = Callable[[Path], SmokeResult]


def test_restored_tables_hold(smoke_dataset: Smoke, restored_dataset: Path) -> None:
    result = smoke_dataset(restored_dataset)

    assert result.cause is None
    assert result.passed
    assert result.accelerator == "cpu"
    expectations = {c.name: c.measured for c in result.checks if c.name.startswith("expectations")}
    assert expectations == {
        "expectations of breast_cancer.parquet": "65 hold",
        "expectations of digits.parquet": "133 hold",
    }
    assert result.measures["rows"] == 1797 + 569


def test_a_value_out_of_range_breaks_its_expectation(smoke_dataset: Smoke, restored_dataset: Path) -> None:
    path = restored_dataset / "digits.parquet"
    frame = pd.read_parquet(path)
    frame.loc[1500, "pixel_3_3"] = 99.0
    frame.to_parquet(path, index=False)

    result = smoke_dataset(restored_dataset)

    assert not result.passed
    assert result.cause is not None
    values, expectation = result.cause.split("; ")
    assert values.startswith("values differ: digits.parquet: pixel_3_3 (mean 8.87646, recorded ")
    assert expectation.startswith("expectation broken: digits.parquet: expect_column_values_to_be_between(")
    assert "column=pixel_3_3" in result.cause
    assert "1 values break it" in result.cause


@pytest.fixture
def plain(asset_of: Callable[..., Asset], tmp_path: Path) -> Callable[[Path, Callable[[Path], object]], SmokeResult]:
    """Records a dataset without expectations, damages it, and tests it."""
    asset = asset_of(AssetKind.DATASET)

    def recorded_then(directory: Path, damage: Callable[[Path], object]) -> SmokeResult:
        attachments = tmp_path / "attachments"
        attachments.mkdir()
        for name, data in record_proof(asset, directory).items():
            (attachments / name).write_bytes(data)
        damage(directory)
        return smoke.run(smoke.SmokeRequest.from_asset(asset, directory, attachments))

    return recorded_then


def _drop_row(directory: Path) -> None:
    path = directory / "digits.parquet"
    pd.read_parquet(path).drop(index=[17]).to_parquet(path, index=False)


def _rename_column(directory: Path) -> None:
    path = directory / "digits.parquet"
    pd.read_parquet(path).rename(columns={"target": "label"}).to_parquet(path, index=False)


def _leave(directory: Path) -> None:
    assert directory.is_dir()


def _truncate(directory: Path) -> None:
    path = directory / "digits.parquet"
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (_drop_row, "rows differ: digits.parquet has 1796, recorded were 1797"),
        (_rename_column, "columns differ: digits.parquet has target, label not as recorded"),
        (lambda directory: (directory / "digits.parquet").unlink(), "missing table: digits.parquet"),
        (_truncate, "damaged table: digits.parquet cannot be read"),
    ],
)
def test_damage_is_named(plain: Callable[..., SmokeResult], restored_dataset: Path, damage: object, cause: str) -> None:
    result = plain(restored_dataset, damage)
    assert not result.passed
    assert result.cause is not None
    assert result.cause.startswith(cause)


def test_csv_rows_are_counted_though_they_hold_newlines(plain: Callable[..., SmokeResult], tmp_path: Path) -> None:
    directory = tmp_path / "csv"
    directory.mkdir()
    (directory / "T.CSV").write_text('id,text\n1,"two\nlines"\n2,\n')
    result = plain(directory, _leave)
    assert result.cause is None
    shape = next(check for check in result.checks if check.name == "shape of T.CSV")
    assert shape.measured == "2 rows, 2 columns"


def test_a_dataset_without_tables_proves_nothing(plain: Callable[..., SmokeResult], tmp_path: Path) -> None:
    directory = tmp_path / "images"
    directory.mkdir()
    (directory / "one.png").write_bytes(b"\x89PNG")
    result = plain(directory, _leave)
    assert not result.passed
    assert result.cause == "the recovery point records no parquet or CSV table: there is nothing to test"


def test_an_unknown_expectation_is_not_passed_over(asset_of: Callable[..., Asset], tmp_path: Path) -> None:
    directory = tmp_path / "csv"
    directory.mkdir()
    (directory / "t.csv").write_text("id\n1\n")
    suite = tmp_path / "suite.json"
    suite.write_text(json.dumps({"name": "s", "expectations": [{"type": "expect_miracles", "kwargs": {}}]}))
    asset = asset_of(AssetKind.DATASET, expectations=suite)
    for name, data in record_proof(asset, directory).items():
        (tmp_path / name).write_bytes(data)
    result = smoke.run(smoke.SmokeRequest.from_asset(asset, directory, tmp_path))
    assert not result.passed
    assert result.cause is not None
    assert result.cause == "the expectation suite 's' cannot be used: unknown or malformed expect_miracles"

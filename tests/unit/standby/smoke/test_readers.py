"""A sample of the rows, read as training reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.smoke import SmokeLimits, SmokePolicy, Tolerance
from dr_lib.standby import smoke
from dr_lib.standby.proof import record_proof
from dr_lib.standby.smoke.readers import read_sample

HERE = "tests.unit.standby.smoke.test_readers"


def in_batches(directory: Path) -> Iterator[Any]:
    for path in sorted(directory.glob("*.parquet")):
        yield from pd.read_parquet(path).to_numpy()


def nothing(directory: Path) -> Iterator[Any]:
    yield from ()


def broken(directory: Path) -> Iterator[Any]:
    raise ValueError("this column is not what I train on")


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    frame = pd.DataFrame({"x": range(1500), "text": ["a", None, "c"] * 500, "y": [0.5, None, 1.5] * 500})
    frame.to_parquet(tmp_path / "t.parquet")
    frame[:0].to_parquet(tmp_path / "empty.parquet")
    return tmp_path


@pytest.mark.parametrize("reader", ["pandas", "torch"])
def test_the_first_rows_of_every_table_are_read(reader: str, tables: Path):
    found = read_sample(reader, tables, {"t.parquet": 1500, "empty.parquet": 0})
    assert (found.cause, found.rows, found.check.measured) == (None, 1000, "1000 rows")
    assert found.rows_per_s > 0


@pytest.mark.parametrize("reader", ["pandas", "torch"])
def test_rows_that_are_not_there_are_missed(reader: str, tables: Path):
    found = read_sample(reader, tables, {"t.parquet": 1500, "empty.parquet": 7})
    assert found.cause == "rows differ: a sample of empty.parquet has 0 rows"
    assert not found.check.passed


def test_ones_own_reader_gives_samples(tables: Path):
    found = read_sample(f"{HERE}:in_batches", tables, {"t.parquet": 1500})
    assert (found.cause, found.rows) == (None, 1000)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("nothing", "gave no sample"),
        ("broken", "failed: it could not be loaded: ValueError: this column is not what I train on"),
        ("absent", "failed: "),
    ],
)
def test_a_reader_that_reads_nothing_fails(name: str, cause: str, tables: Path):
    found = read_sample(f"{HERE}:{name}", tables, {"t.parquet": 1500})
    assert not found.check.passed
    assert found.cause is not None
    assert found.cause.startswith(f"the reader {HERE}:{name} {cause}")


def test_the_asset_says_how_it_is_read_and_how_fast(
    asset_of: Callable[..., Asset], tables: Path, tmp_path_factory: pytest.TempPathFactory
):
    limits = SmokeLimits(throughput_per_s=1e12)
    asset = asset_of(AssetKind.DATASET, smoke=SmokePolicy("", None, Tolerance(), limits=limits, reader="torch"))
    attachments = tmp_path_factory.mktemp("attachments")
    for name, data in record_proof(asset, tables).items():
        (attachments / name).write_bytes(data)
    result = smoke.run(smoke.SmokeRequest.from_asset(asset, tables, attachments))
    missed = [check for check in result.checks if not check.passed]
    assert [check.name for check in missed] == ["throughput"]
    assert missed[0].required == ">= 1e+12 rows/s"
    assert result.cause is not None
    assert result.cause.startswith("slow inference: throughput ")
    assert "sample through torch" in [check.name for check in result.checks]

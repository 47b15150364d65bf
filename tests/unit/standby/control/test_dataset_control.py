"""The control of a dataset: each damage of a table is noticed, and what cannot be tried says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dr_lib.standby.control import datasets
from dr_lib.standby.smoke import dataset_probe

PERTURBED, SWAPPED, OLDER = "a column perturbed", "two columns swapped", "a file of an older point"
NO_OLDER = {"said": "there is no older point", "path": "", "directory": ""}
Controlled = Callable[..., dict[str, tuple[bool | None, str]]]


@pytest.fixture
def controlled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controlled:
    """Record the tables in `restored`, then hold their test to its control: caught and detail by name."""

    def control(recorded: dict[str, Any] | None = None, **more: Any) -> dict[str, tuple[bool | None, str]]:
        live = tmp_path / "restored"
        request = {"directory": str(live), "attachments": str(tmp_path), "seed": "drill", "older": NO_OLDER}
        (tmp_path / "tables.json").write_text(json.dumps(recorded or dataset_probe.record(request)))
        (tmp_path / "home").mkdir()
        monkeypatch.chdir(tmp_path / "home")
        before = {path: path.read_bytes() for path in live.rglob("*") if path.is_file()}
        told = datasets.control(request | more)
        assert {path: path.read_bytes() for path in live.rglob("*") if path.is_file()} == before
        assert list((tmp_path / "home").iterdir()) == []
        return {one["name"]: (one["caught"], one["detail"]) for one in told["controls"]}

    return control


@pytest.fixture
def live(tmp_path: Path) -> Path:
    (tmp_path / "restored" / "part").mkdir(parents=True)
    return tmp_path / "restored"


def test_each_damage_of_a_table_is_noticed(controlled: Controlled, live: Path, tmp_path: Path):
    table = {"x": [1.0, 2.0, None], "y": [0.5, 0.25, 0.0]}
    pq.write_table(pa.table(table), live / "part" / "t.parquet", row_group_size=2)
    pq.write_table(pa.table(table | {"y": [0.5, 0.25, 0.125]}), tmp_path / "t.parquet")
    (tmp_path / "older" / "part").mkdir(parents=True)
    (tmp_path / "t.parquet").rename(tmp_path / "older" / "part" / "t.parquet")
    found = controlled(older={"said": "P1", "path": "part/t.parquet", "directory": str(tmp_path / "older")})
    assert [caught for caught, _ in found.values()] == [True, True, True]
    assert " a little off: values of part/t.parquet 1 columns as recorded, required 2" in found[PERTURBED][1]
    assert " swapped: values of part/t.parquet 0 columns as recorded, required 2" in found[SWAPPED][1]
    assert found[OLDER][1].startswith("part/t.parquet as P1 has it: values of part/t.parquet 1 columns")


def test_a_csv_too(controlled: Controlled, live: Path):
    (live / "t.csv").write_text('id,"a, b",c\n1,"x ""y""",\n2,z,w\n')
    found = controlled()
    assert (found[PERTURBED][0], found[SWAPPED][0]) == (True, True)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2**63 - 1], pa.int64()),
        pa.array([1, 255], pa.uint8()),
        pa.array([True, False]),
        pa.array(["a", None], pa.large_string()),
        pa.array([0, 1], pa.timestamp("us", "UTC")),
        pa.array([0, 1], pa.date32()),
        pa.array([0, 86_400_000], pa.date64()),
        pa.array([0.5, 1.5], pa.float16()),
        pa.array(["a", "b"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_columns_of_many_types_are_set_off(controlled: Controlled, live: Path, column: pa.Array):
    pq.write_table(pa.table({"x": column}), live / "t.parquet")
    caught, detail = controlled()[PERTURBED]
    if isinstance(column, pa.DictionaryArray):
        assert (caught, detail) == (None, "the chosen table has no columns that this can be done to")
    else:
        assert caught is True


def test_columns_that_cannot_be_told_apart_say_so(controlled: Controlled, live: Path):
    pq.write_table(pa.table({"x": pa.nulls(2, pa.int64()), "y": pa.nulls(2, pa.int64())}), live / "t.parquet")
    none = "the chosen table has no columns that this can be done to"
    assert controlled() == {PERTURBED: (None, none), SWAPPED: (None, none), OLDER: (None, "there is no older point")}


def test_an_older_file_with_the_same_values_is_no_damage(controlled: Controlled, live: Path, tmp_path: Path):
    pq.write_table(pa.table({"x": [1, 2]}), live / "t.parquet", compression="snappy")
    (tmp_path / "older").mkdir()
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "older" / "t.parquet", compression="zstd")
    found = controlled(older={"said": "P1", "path": "t.parquet", "directory": str(tmp_path / "older")})
    assert found[OLDER] == (None, "t.parquet as P1 has it holds the same values, as far as they are compared")


def test_tables_recorded_before_values_were_are_told(controlled: Controlled, live: Path):
    pq.write_table(pa.table({"x": [1, 2]}), live / "t.parquet")
    recorded = dataset_probe.record({"directory": str(live)})
    del recorded["tables"]["t.parquet"]["contents"]
    found = controlled(recorded)
    assert found[PERTURBED] == (None, "no table's values were recorded at backup: back the dataset up again")

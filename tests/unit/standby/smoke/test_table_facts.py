"""What is recorded of a table: rows, columns, and what its footer or its fields tell of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dr_lib.standby.smoke.tables import facts


def parquet_facts(path: Path, table: dict[str, Any], **options: Any) -> dict[str, Any]:
    pq.write_table(pa.table(table), path / "t.parquet", **options)
    return facts(path, "t.parquet")


def test_a_parquet_footer_tells_nulls_and_limits_over_all_row_groups(tmp_path: Path):
    table = {"id": list(range(100)), "score": [None if n % 4 else n / 2 for n in range(100)], "text": ["a"] * 100}
    found = parquet_facts(tmp_path, table, row_group_size=30)
    assert found["rows"] == 100
    assert found["columns"] == [["id", "int64"], ["score", "double"], ["text", "string"]]
    assert found["stats"] == {
        "id": {"nulls": 0, "min": 0.0, "max": 99.0},
        "score": {"nulls": 75, "min": 0.0, "max": 48.0},
        "text": {"nulls": 0},
    }


def test_what_one_row_group_does_not_tell_is_told_of_none(tmp_path: Path):
    assert parquet_facts(tmp_path, {"id": [1, 2]}, write_statistics=False)["stats"] == {"id": {}}


def test_a_row_group_of_nulls_has_no_limits_and_takes_none_away(tmp_path: Path):
    found = parquet_facts(tmp_path, {"x": [1, 2, None, None, 5, 7]}, row_group_size=2)
    assert found["stats"] == {"x": {"nulls": 2, "min": 1.0, "max": 7.0}}


def test_limits_that_are_no_numbers_are_left_out(tmp_path: Path):
    table = {"x": np.array([np.inf, 1.0]), "y": [True, False], "z": pa.array([[1, 2], [3]])}
    found = parquet_facts(tmp_path, table)["stats"]
    assert found == {"x": {"nulls": 0, "min": 1.0}, "y": {"nulls": 0}}


def test_empty_fields_of_a_csv_are_its_nulls(tmp_path: Path):
    (tmp_path / "t.csv").write_text("a,b\n1,\n2,x\n,\n")
    assert facts(tmp_path, "t.csv") == {
        "rows": 3,
        "columns": [["a", "text"], ["b", "text"]],
        "stats": {"a": {"nulls": 1}, "b": {"nulls": 2}},
    }

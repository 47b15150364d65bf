"""Tables are told by their names before pandas is loaded, and by the same names as after."""

import json

from dr_lib.model.asset import AssetKind
from dr_lib.standby import proof, smoke
from dr_lib.standby.smoke.table_names import holds_tables, is_table


def test_names_of_tables():
    assert [name for name in ("a.csv", "B.PARQUET", "c.json", ".csv", "csv", "d.csv.gz") if is_table(name)] == [
        "a.csv",
        "B.PARQUET",
    ]


def test_a_dataset_without_tables_starts_no_process(tmp_path, asset_of, monkeypatch):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "record.json").write_text("{}")
    assert not holds_tables(tmp_path)
    monkeypatch.setattr(smoke, "record_tables", lambda *_, **__: 1 / 0)
    recorded = proof.record_proof(asset_of(kind=AssetKind.DATASET), tmp_path)
    assert json.loads(recorded["tables.json"]) == {"tables": {}}
    (tmp_path / "deep" / "rows.csv").write_text("a\n1\n")
    assert holds_tables(tmp_path)

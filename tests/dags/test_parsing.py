"""The DAG file: complete, deterministic, quick, and clear about a wrong configuration."""

from __future__ import annotations

import sys

PER_ASSET = 3
FOR_ALL = {"dr_replicate", "dr_restore", "dr_retention", "dr_freshness", "dr_restore_emergency"}


def opened_by_us(events):
    programs = tuple({sys.prefix, sys.base_prefix, sys.exec_prefix})
    opened = {path for event, path in events if event == "open"}
    return {path for path in opened if not path.startswith(programs) and not path.endswith((".py", ".pyc"))}


def test_each_asset_has_its_three_dags_and_the_others_are_for_all(parse, write_config):
    parsed = parse(write_config("minilm", "tables"))
    assert parsed.import_errors == {}
    steps = {f"dr_{step}__{asset}" for step in ("backup", "verify", "drill") for asset in ("minilm", "tables")}
    assert set(parsed.dag_ids) == steps | FOR_ALL


def test_two_hundred_assets_parse_without_touching_anything_but_the_configuration(parse, write_config, record_property):
    config = write_config(*(f"asset{number:03}" for number in range(200)))
    parsed = parse(config)
    record_property("parse_seconds", parsed.seconds)
    print(f"parsing 200 assets took {parsed.seconds:.2f} s")
    assert parsed.import_errors == {}
    assert len(parsed.dag_ids) == 200 * PER_ASSET + len(FOR_ALL)
    assert opened_by_us(parsed.events) == {str(config)}
    assert [event for event in parsed.events if event[0] != "open"] == []
    assert parsed.heavy == []


def test_the_same_configuration_gives_the_same_dags_in_another_process(parse, write_config):
    config = write_config("minilm")
    names = ("dr_backup__minilm", "dr_drill__minilm", "dr_replicate", "dr_restore", "dr_retention")
    one, other = parse(config, *names, seed="1"), parse(config, *names, seed="2")
    assert set(one.serialized) == set(names)
    assert one.serialized == other.serialized


def test_a_wrong_configuration_is_an_import_error_that_names_every_problem(parse, write_config):
    config = write_config("minilm")
    config.write_text(
        config.read_text().replace("kind: dataset", "kind: datasheet").replace("30 1 * * *", "99 1 * * *")
    )
    parsed = parse(config)
    (error,) = parsed.import_errors.values()
    assert parsed.dag_ids == []
    assert "'datasheet'" in error
    assert "'99 1 * * *'" in error
    assert str(config) in error


def test_a_missing_configuration_is_an_import_error_that_says_where_it_was_looked_for(parse, tmp_path):
    parsed = parse(tmp_path / "absent.yaml")
    (error,) = parsed.import_errors.values()
    assert str(tmp_path / "absent.yaml") in error
    assert parsed.dag_ids == []

from __future__ import annotations

import json

import pytest

from dr_lib.errors import UsageError
from dr_lib.standby.smoke.suites import assign, parse_suites

SUITE = {"name": "s", "expectations": [{"type": "expect_table_row_count_to_equal", "kwargs": {"value": 1}}], "meta": {}}


def test_a_plain_suite_applies_to_every_table() -> None:
    assigned = assign(parse_suites(json.dumps(SUITE).encode(), "f"), ["a.csv", "sub/b.parquet"])
    assert assigned.by_table == {"a.csv": [SUITE], "sub/b.parquet": [SUITE]}
    assert assigned.unmatched == ()


def test_named_suites_apply_to_the_tables_they_match() -> None:
    document = {"suites": {"a.csv": SUITE, "part-*.parquet": SUITE, "gone.csv": SUITE}}
    assigned = assign(parse_suites(json.dumps(document).encode(), "f"), ["a.csv", "b.csv", "part-1.parquet"])
    assert assigned.by_table == {"a.csv": [SUITE], "part-1.parquet": [SUITE]}
    assert assigned.unmatched == ("gone.csv",)


@pytest.mark.parametrize(
    "document", ["{", "[]", "{}", '{"suites": []}', '{"suites": {}}', '{"expectations": []}', '{"suites": {"a": 1}}']
)
def test_what_is_no_suite_is_refused_with_its_place(document: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_suites(document.encode(), "expectations/x.json")
    assert caught.value.where == "expectations/x.json"
    assert caught.value.hint is not None

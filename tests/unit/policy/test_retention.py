"""What a policy keeps, case by case in `retention_tables.yaml`, and the reasons that a person is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from dr_lib.model.asset import Retention
from dr_lib.policy.retention import PointFacts, decide, keeps_nothing

TABLES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("retention_tables.yaml").read_text())
AGES = ("keep_within", "max_age", "quarantined")
NOTHING: dict[str, Any] = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "keep_within": 0, "quarantined": 0}


def moment(text: object) -> datetime:
    """`03-09` is of 2026; YAML makes dates of whole ones."""
    whole = str(text) if str(text)[4:5] == "-" else f"2026-{text}"
    return datetime.fromisoformat(whole).replace(tzinfo=UTC)


def policy(said: dict[str, Any]) -> Retention:
    return Retention(**{k: timedelta(days=v) if k in AGES else v for k, v in (NOTHING | said).items()})


def point(text: str) -> PointFacts:
    name, *marks = text.split()
    stored = next((moment(mark[2:]) for mark in marks if mark.startswith("s:")), None)
    return PointFacts(
        point=name,
        created_at=moment(name),
        stored_at=stored,
        regions=frozenset({"b"} if {"b", "w"} & set(marks) else {"a"}),
        verified=frozenset(region for mark, region in (("v", "a"), ("w", "b")) if mark in marks),
        damaged="d" in marks,
        holds=("legal",) if "h" in marks else (),
        quarantined_at=moment(name) if "q" in marks else None,
        unknown=("region b does not answer",) if "u" in marks else (),
    )


def test_there_are_enough_tables_and_each_has_a_name_of_its_own():
    assert len({table["name"] for table in TABLES}) == len(TABLES) >= 40


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table["name"])
def test_it_keeps(table: dict[str, Any]):
    points = [point(text) for text in table["points"]]
    verdicts = decide(points, policy(table.get("policy", {})), moment(table["now"]))
    assert sorted(v.point for v in verdicts if not v.expires) == sorted(str(name) for name in table["keeps"])
    assert keeps_nothing(verdicts) is table.get("refused", False)


def test_every_reason_is_told():
    found = decide(
        [point("03-01 v h"), point("03-08 v"), point("03-09T04:00 v u"), point("04-01 v")],
        policy({"hourly": 1, "daily": 2, "last": 1, "keep_within": 2}),
        moment("03-10"),
    )
    assert {v.point: v.reasons for v in found} == {
        "04-01": ("its time lies ahead of this machine's clock",),
        "03-09T04:00": (
            "last 1 of 1",
            "hourly 2026-03-09 04h",
            "daily 2026-03-09",
            "younger than 2 d",
            "newest point",
            "newest verified point",
            "not known: region b does not answer",
        ),
        "03-08": ("daily 2026-03-08",),
        "03-01": ("held: legal",),
    }


def test_what_is_the_newest_in_one_region_alone_says_so():
    found = decide([point("03-01 w"), point("03-02 b"), point("03-09 v")], policy({"last": 1}), moment("03-10"))
    assert [v.reasons for v in found[1:]] == [("newest point in b",), ("newest verified point in b",)]


def test_times_of_other_zones_are_of_the_day_in_utc():
    east = datetime.fromisoformat("2026-03-09T01:00:00+02:00")
    found = decide([PointFacts("p", east, verified=frozenset("a"))], policy({"daily": 1}), moment("03-10"))
    assert found[0].reasons[0] == "daily 2026-03-08"

"""The text that Prometheus reads."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

AT = "2026-11-26T12:00:00.000000Z"


def region(**more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"region": "east", "rpo_s": 5.0, "silent": "", "unread_s": 7.0, "points": 2}
    return facts | {"state": "verified", "locked_until": AT} | more


def asset(**more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "asset": "m", "protection": "protected", "problems": [], "failing_since": None, "observed_at": AT, "points": 2,
        "logical_bytes": 10, "stored_bytes": 5, "rpo_s": 5.0, "rpo_objective_s": 60.0, "rto_objective_s": 30.0,
        "regions": [region()],
    }  # fmt: skip
    return facts | more


def figures(*assets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "overview": {"protected": 1, "failing": 0, "unknown": 0, "never_seen": 2}, "stale_after_s": 900.0,
        "assets": list(assets), "promises": {}, "drills": [], "alerts": {"warning": 0, "critical": 3},
        "endpoints": [], "serving": [],
    } | more  # fmt: skip


def samples(told: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """Values by name and labels, as another parser reads them."""
    from dr_airflow.page import metrics

    families = text_string_to_metric_families(metrics.exposition(told).decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_everything_that_is_known_is_told():
    drill = {
        "asset": "m",
        "scenario": "region-lost",
        "verdict": "proven",
        "finished_at": AT,
        "rto_s": 3.0,
        "rpo_s": 4.0,
    }
    promise = {"verify_within_s": 86400.0, "drill_due_at": AT}
    found = samples(figures(asset(), drills=[drill], promises={"m": promise}))
    assert found["dr_assets", "never_seen"] == 2
    assert found["dr_alerts", "critical"] == 3
    assert (found["dr_protected", "m"], found["dr_known", "m"], found["dr_rpo_seconds", "m"]) == (1, 1, 5)
    assert found["dr_observed_timestamp_seconds", "m"] == 1795694400
    assert found["dr_region_answers", "m", "east"] == 1
    assert found["dr_region_copy", "m", "east", "verified"] == 1
    assert found["dr_drill_proven", "m", "region-lost"] == 1
    assert found["dr_drill_due_timestamp_seconds", "m"] == 1795694400


def test_what_is_not_known_has_no_sample():
    unseen = region(silent="it does not answer", rpo_s=None, unread_s=None, state="unknown", locked_until=None)
    found = samples(figures(asset(protection="unknown", rpo_s=None, regions=[unseen])))
    assert (found["dr_protected", "m"], found["dr_known", "m"], found["dr_region_answers", "m", "east"]) == (0, 0, 0)
    gone = {"dr_rpo_seconds", "dr_region_rpo_seconds", "dr_region_unread_seconds", "dr_region_points"}
    assert gone.isdisjoint({key[0] for key in found})


def test_a_drill_that_proved_nothing_counts_as_that():
    drill = {"asset": "m", "scenario": "key-lost", "verdict": "not proven", "finished_at": AT}
    drill |= {"rto_s": None, "rpo_s": None}
    found = samples(figures(drills=[drill]))
    assert found["dr_drill_proven", "m", "key-lost"] == 0
    assert ("dr_drill_rto_seconds", "m", "key-lost") not in found


@pytest.mark.parametrize("name", ['a"} 1\ndr_protected{asset="b', "back\\slash", "ü"])
def test_a_name_cannot_say_anything_else(name: str):
    found = samples(figures(asset(asset=name)))
    assert [key for key in found if key[0] == "dr_protected"] == [("dr_protected", name)]


def endpoint(**more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"endpoint": "api", "observed_at": AT, "stale": False, "problem": "", "holder": ""}
    return facts | {"traffic": "primary", "primary_stands": "healthy", "standby_stands": "down"} | more


def test_who_serves_and_whether_it_does_well():
    found = samples(figures(endpoints=["api", "other"], serving=[endpoint(holder="anna")]))
    assert [found["dr_serving_promised", name] for name in ("api", "other")] == [1, 1]
    assert (found["dr_serving_problem", "api"], found["dr_serving_moving", "api"]) == (0, 1)
    assert (found["dr_serving_site", "api", "primary"], found["dr_serving_site", "api", "standby"]) == (1, 0)
    assert (found["dr_serving_healthy", "api", "primary"], found["dr_serving_healthy", "api", "standby"]) == (1, 0)
    half = samples(figures(serving=[endpoint(traffic="both", problem="the switch sends requests to both")]))
    assert [half["dr_serving_site", "api", site] for site in ("primary", "standby")] == [1, 1]
    assert half["dr_serving_problem", "api"] == 1


def test_of_an_endpoint_that_nobody_looked_at_for_long_nothing_is_claimed():
    found = samples(figures(endpoints=["api"], serving=[endpoint(stale=True)]))
    assert {key[0] for key in found if "serving" in key[0]} == {
        "dr_serving_promised", "dr_serving_observed_timestamp_seconds",
    }  # fmt: skip

"""Looking at an endpoint: what is kept, what it calls for, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dr_lib.errors import NotFound
from dr_lib.model.serving import Site
from tests.unit.serving.stage import Stage, staged


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path / "w") as made:
        yield made


def alerts(stage: Stage) -> list[tuple[str, str]]:
    return [(one["severity"], one["key"]) for one in stage.runtime().open_alerts()["alerts"]]


def view(stage: Stage) -> dict[str, Any]:
    (found,) = stage.runtime().serving_views()
    return found


def test_one_that_is_well(stage: Stage):
    seen = stage.runtime().watch_endpoint("api")
    assert (seen["due"], seen["problem"], seen["failing_since"]) == ("nothing", "", None)
    assert (view(stage)["traffic"], view(stage)["primary_stands"], view(stage)["stale"]) == (
        "primary",
        "healthy",
        False,
    )
    assert alerts(stage) == []


@pytest.mark.parametrize(("approval", "due"), [("required", "ask"), ("automatic", "act")])
def test_a_primary_that_is_down_is_told_once_and_since_when(stage: Stage, approval: str, due: str):
    stage.change(approval=approval)
    stage.toys[Site.PRIMARY].close()
    first = stage.runtime().watch_endpoint("api")
    second = stage.runtime().watch_endpoint("api")
    assert (first["due"], second["due"]) == (due, due)
    assert first["failing_since"] == second["failing_since"] is not None
    assert alerts(stage) == [("critical", "serving:api")]
    assert view(stage)["problem"] == "the primary serves and is down: no answer: ConnectError"


def test_an_alert_ends_when_callers_are_served_again(stage: Stage):
    stage.toys[Site.PRIMARY].mood = "503"
    stage.runtime().watch_endpoint("api")
    stage.toys[Site.PRIMARY].mood = "well"
    assert stage.runtime().watch_endpoint("api")["failing_since"] is None
    assert alerts(stage) == []


def test_a_switch_that_does_not_answer_is_a_problem_and_calls_for_nothing(stage: Stage):
    stage.proxy.kill()
    stage.toys[Site.PRIMARY].close()
    seen = stage.runtime().watch_endpoint("api")
    assert (seen["traffic"], seen["due"]) == ("unknown", "nothing")
    assert seen["problem"]
    assert alerts(stage) == [("critical", "serving:api")]


def test_a_lease_that_nobody_can_read_is_a_problem(stage: Stage):
    for region in list(stage.world.regions.values())[:2]:
        region.rename(region.with_name(f"away {region.name}"))
    seen = stage.runtime().serving_status("api")
    assert not seen["ok"]
    assert "needs 2 of its regions" in seen["endpoints"][0]["problem"]
    assert seen["endpoints"][0]["sites"]["primary"]["verdict"] == "healthy"


def test_questions_that_cannot_be_read_leave_it_unknown_and_never_well(stage: Stage):
    (stage.world.folder / "answers.jsonl").unlink()
    seen = stage.runtime().watch_endpoint("api")
    assert (seen["sites"]["primary"]["verdict"], seen["due"]) == ("unknown", "nothing")
    assert "the primary serves and is unknown" in seen["problem"]


def test_an_endpoint_that_dr_yaml_names_no_more_is_forgotten(stage: Stage):
    stage.runtime().watch_endpoint("api")
    document = stage.world.config().read_text()
    stage.world.config().write_text(document.replace('"serving": {"api"', '"serving": {"renamed"'))
    stage.runtime().watch_endpoint("renamed")
    assert view(stage)["endpoint"] == "renamed"
    with pytest.raises(NotFound, match="no endpoint named 'api'"):
        stage.runtime().watch_endpoint("api")


def test_a_check_tells_endpoints_too_now_or_by_the_catalog(stage: Stage):
    (now,) = stage.runtime().check()["endpoints"]
    assert (now["endpoint"], now["state"], now["traffic"]) == ("api", "ok", "primary")
    stage.runtime().refresh_catalog()
    (unseen,) = stage.runtime().check(by_catalog=True)["endpoints"]
    assert (unseen["state"], unseen["text"]) == ("unknown", "was never looked at")
    stage.toys[Site.PRIMARY].close()
    stage.runtime().watch_endpoint("api")
    for by_catalog in (False, True):
        found = stage.runtime().check(by_catalog=by_catalog)
        assert (found["state"], found["endpoints"][0]["state"]) == ("critical", "critical")
    stage.proxy.kill()
    assert stage.runtime().check()["endpoints"][0]["state"] == "unknown"


def doctor(stage: Stage) -> tuple[bool, str]:
    (found,) = (one for one in stage.runtime().doctor()["checks"] if one["name"] == "endpoint api")
    return found["ok"], found["detail"]


def test_the_doctor_looks_at_switch_and_questions(stage: Stage):
    assert doctor(stage) == (True, "its switch sends requests to primary")
    switch = {"kind": "haproxy", "address": f"unix:{stage.proxy.socket}", "backend": "others"}
    stage.change(switch=switch | {"primary": "primary", "standby": "standby"})
    assert doctor(stage)[0] is False
    assert "no backend 'others'" in doctor(stage)[1]
    (stage.world.folder / "answers.jsonl").write_text("{}\n")
    assert "no question" in doctor(stage)[1]
    stage.proxy.kill()
    (stage.world.folder / "answers.jsonl").unlink()
    stage.change(health={"interval": "10ms"})
    ok, detail = doctor(stage)
    assert (ok, detail.startswith("not moved from here: HAProxy's runtime API does not answer")) == (True, True)

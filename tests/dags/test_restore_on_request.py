"""A restore that is asked for: planned, approved by somebody else, and the word of that left in the vaults."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from dr_lib.errors import NotFound, Refused, StoreUnavailable
from dr_lib.vault.events import read_event
from dr_lib.workflows.evidence.keep import keep
from tests.drills import report
from tests.world import ASSET, World, make_world

ASKED = {"requester": "ann", "reason": "the disk died", "ticket": "DR-7", "target": "/srv/x"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(tmp_path / "w", asset={"kind": "dataset"})
    (made.source / "file").write_bytes(b"x" * 1000)
    made.runtime.backup(ASSET)
    monkeypatch.setenv("DR_CONFIG", str(made.config()))
    return made


def planned(**more: Any) -> dict[str, Any]:
    from dr_airflow.operators import RestorePlanOperator

    found: dict[str, Any] = RestorePlanOperator(task_id="plan", asset=ASSET, **more).work()
    return found


def authorised(point: str, decision: dict[str, str] | None, *, emergency: bool = False) -> dict[str, Any]:
    from dr_airflow.operators import AuthoriseRestoreOperator

    told = json.dumps(decision)
    made = AuthoriseRestoreOperator(task_id="a", asset=ASSET, point=point, decision=told, emergency=emergency, **ASKED)
    found: dict[str, Any] = made.work()
    return found


def words(world: World, region: str) -> list[dict[str, Any]]:
    vault = world.vault(region)
    return [read_event(vault, name) for name in vault.events(ASSET) if name.kind == "restore"]


def test_the_plan_says_what_would_come_from_where_and_fetches_nothing(world: World):
    plan = planned()
    assert (plan["region"], plan["bytes"], plan["files"], plan["minutes"]) == ("one", 1000, 1, None)
    assert plan["why"] == "the first of one, two with a complete copy"
    world.regions["one"].rename(world.folder / "away")
    assert planned()["region"] == "two"
    assert planned()["why"].endswith("; one did not answer")


def test_the_minutes_are_those_of_past_drills_when_there_are_enough(world: World):
    vaults = [world.vault("one"), world.vault("two")]
    for number, seconds in enumerate((60.0, 90.0, 600.0)):
        keep(vaults, replace(report(number), asset=ASSET, rto_s=seconds))
        world.runtime.refresh_catalog()
        assert planned()["minutes"] == (1.5 if number == 2 else None)


def test_a_point_that_vanished_is_told_before_anybody_is_asked(world: World):
    with pytest.raises(NotFound, match="no point"):
        planned(point="20200101T000000000000Z-00000000")
    with pytest.raises(NotFound):
        planned(at="2020-01-01T00:00:00Z")


def test_an_approval_by_somebody_else_is_kept_in_every_region(world: World):
    point = planned()["point"]
    done = authorised(point, {"word": "approved", "by": "bob", "at": "2026-11-26T12:00:00+00:00"})
    assert set(done["events"]) == {"one", "two"}
    for region in ("one", "two"):
        (word,) = words(world, region)
        assert {name: word[name] for name in ("decision", "by", "requester", "reason", "ticket", "objection")} == {
            "decision": "approved", "by": "bob", "requester": "ann", "reason": "the disk died", "ticket": "DR-7",
            "objection": "",
        }  # fmt: skip
    assert world.runtime.verify(ASSET)["ok"], "the word hurts nothing that is stored"


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ({"word": "approved", "by": "ann", "at": ""}, "ann asked for it, and cannot approve it"),
        ({"word": "rejected", "by": "bob", "at": ""}, "bob rejected it"),
        (None, "nobody approved it in time"),
    ],
)
def test_anything_else_is_kept_and_refused(world: World, decision: dict[str, str] | None, why: str):
    point = planned()["point"]
    with pytest.raises(Refused, match=why):
        authorised(point, decision)
    (word,) = words(world, "two")
    assert word["objection"].startswith(why)


def test_in_an_emergency_nobody_is_asked_and_it_is_kept(world: World):
    authorised(planned()["point"], None, emergency=True)
    (word,) = words(world, "one")
    assert (word["decision"], word["by"], word["requester"]) == ("emergency", "", "ann")


def test_what_cannot_be_written_down_does_not_begin(world: World):
    point = planned()["point"]
    for region in ("one", "two"):
        world.regions[region].rename(world.folder / f"away {region}")
    with pytest.raises((StoreUnavailable, NotFound)):
        authorised(point, {"word": "approved", "by": "bob", "at": ""})


class Pushed:
    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def xcom_push(self, *, key: str, value: Any) -> None:
        self.values[key] = value


@pytest.mark.parametrize(
    ("event", "decision"),
    [
        ({"chosen_options": ["Approve"]}, {"word": "approved", "by": "bob", "at": "2026-11-26T12:00:00+00:00"}),
        ({"chosen_options": ["Reject"]}, {"word": "rejected", "by": "bob", "at": "2026-11-26T12:00:00+00:00"}),
        ({"error": "late", "error_type": "timeout"}, {"word": "unanswered", "by": "", "at": ""}),
    ],
)
def test_every_answer_is_handed_on(event: dict[str, Any], decision: dict[str, str]):
    from dr_airflow.operators import RestoreApprovalOperator

    who = {"responded_at": datetime(2026, 11, 26, 12, tzinfo=UTC), "responded_by_user": {"id": "2", "name": "bob"}}
    asked = RestoreApprovalOperator(task_id="approve", subject="?", execution_timeout=None)
    pushed = Pushed()
    context: Any = {"ti": pushed}
    if decision["word"] == "approved":
        asked.execute_complete(context, {"params_input": {}, **who, **event})
    else:
        with pytest.raises(AirflowFailException):
            asked.execute_complete(context, {"params_input": {}, **who, **event})
    assert pushed.values == {"decision": decision}


def test_somebody_without_a_name_approved_nothing(world: World):
    """Only an id: it could be the requester's own."""
    from dr_airflow.operators import RestoreApprovalOperator

    pushed = Pushed()
    context: Any = {"ti": pushed}
    event = {"params_input": {}, "responded_at": datetime(2026, 11, 26, tzinfo=UTC), "chosen_options": ["Approve"]}
    asked = RestoreApprovalOperator(task_id="approve", subject="?", execution_timeout=None)
    asked.execute_complete(context, event | {"responded_by_user": {"id": "2", "name": ""}})
    with pytest.raises(Refused, match="not known who asked for it, or who approved it"):
        authorised(planned()["point"], pushed.values["decision"])

"""Callbacks of DAG runs tell people, and never bring down the process that calls them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dr_lib.config import load_config
from dr_lib.runtime import Runtime
from tests.webhook import Webhook, webhook
from tests.world import make_world


@pytest.fixture
def hook(tmp_path, monkeypatch) -> Iterator[Webhook]:
    with webhook() as found:
        place = {"DR_STATE_DIR": str(tmp_path / "state"), "OPS": found.url}
        world = make_world(
            tmp_path / "w", alerts={"to": [{"urls": "env:OPS"}]}, environ=place, asset={"kind": "dataset"}
        )
        (world.source / "file").write_bytes(b"x")
        for name, value in {**place, "DR_CONFIG": str(world.config())}.items():
            monkeypatch.setenv(name, value)
        yield found


def context(dag: str = "dr_backup__thing", state: str = "failed", **more: Any) -> Any:
    return {"dag_run": SimpleNamespace(dag_id=dag, run_id="run 1", state=state), "reason": "task_failure", **more}


def test_failures_in_a_row_are_told_once_and_a_success_ends_them(hook: Webhook):
    from dr_airflow import alarms

    for _ in range(3):
        alarms.failed(context())
    alarms.succeeded(context(state="success"))
    alarms.succeeded(context(state="success"))
    assert hook.titles() == ["Disaster recovery, warning: 1 new", "Disaster recovery, all clear: 1 alert is over"]
    assert "dr_backup__thing failed (task_failure), run run 1" in hook.heard[0]["message"]


def test_a_drill_that_failed_is_critical(hook: Webhook):
    from dr_airflow import alarms

    alarms.failed(context("dr_drill__thing"))
    assert hook.titles() == ["Disaster recovery, critical: 1 new"]


@pytest.mark.parametrize(("state", "told"), [("running", 1), ("queued", 1), ("success", 0), ("failed", 0)])
def test_only_a_run_that_has_not_ended_is_late(hook: Webhook, state: str, told: int):
    from dr_airflow import alarms

    run = {"dag_run": {"state": state, "dag_run_id": "run 2"}}
    asyncio.run(alarms.late(run, dag="dr_backup__thing", after="1:00:00"))
    assert len(hook.heard) == told
    assert not told or "dr_backup__thing is not done after 1:00:00, run run 2" in hook.heard[0]["message"]


def test_a_run_that_was_late_and_then_succeeded_is_over(hook: Webhook):
    from dr_airflow import alarms

    asyncio.run(alarms.late({"dag_run": {"state": "running"}}, dag="dr_backup__thing", after="1:00:00"))
    alarms.succeeded(context(state="success"))
    assert hook.titles()[-1].startswith("Disaster recovery, all clear")


def test_what_cannot_be_told_ends_no_process(hook: Webhook, monkeypatch, caplog):
    from dr_airflow import alarms

    hook.status = 500
    alarms.failed(context())
    monkeypatch.setenv("DR_CONFIG", "/nowhere/dr.yaml")
    alarms.failed(context())
    assert caplog.text.count("nobody could be told of dr_backup__thing") == 2


def test_an_emergency_is_told_at_once_and_goes_on_when_it_cannot_be(hook: Webhook):
    from dr_airflow.operators import AuthoriseRestoreOperator

    point = Runtime.load().backup("thing")["point"]
    facts = {"asset": "thing", "point": point, "reason": "it burns", "ticket": ""}
    task = AuthoriseRestoreOperator(task_id="a", requester="ops", target="/t", emergency=True, **facts)
    task.work()
    assert "EMERGENCY: ops restores thing into /t, approved by nobody. Reason: it burns" in hook.heard[0]["message"]
    hook.status = 500
    assert task.work()["word"]


def test_backups_and_drills_have_deadlines_and_all_but_freshness_tell_of_failures(write_config):
    from dr_airflow.dag_factory import build_dags

    dags = build_dags(load_config(write_config("minilm")))
    (backup,), (drill,) = dags["dr_backup__minilm"].deadline, dags["dr_drill__minilm"].deadline
    assert backup.interval == timedelta(hours=24)
    assert drill.interval == timedelta(hours=8, minutes=30)
    assert backup.callback.kwargs == {"dag": "dr_backup__minilm", "after": "1 day, 0:00:00"}
    assert backup.callback.path == "dr_airflow.alarms.late"
    silent = {name for name, dag in dags.items() if not dag.has_on_failure_callback}
    assert silent == {"dr_freshness"}


def test_freshness_tells_people_in_a_task_that_hides_no_failure(write_config):
    from dr_airflow.dag_factory import build_dags

    dag = build_dags(load_config(write_config("minilm")))["dr_freshness"]
    assert {leaf.task_id for leaf in dag.leaves} == {"objectives", "alarm"}
    assert dag.task_dict["alarm"].trigger_rule == "all_done"


def test_every_form_holds_for_its_defaults(write_config):
    from dr_airflow.dag_factory import build_dags

    dags = build_dags(load_config(write_config("minilm")))
    held = {name: dag.params.validate() for name, dag in dags.items() if not name.startswith("dr_restore")}
    assert held["dr_backup__minilm"] == {"region": None}
    assert held["dr_verify__minilm"] == {"scope": "unverified"}
    assert held["dr_drill__minilm"] == {"scenario": "region-lost", "region": "us-east", "disaster_at": None}

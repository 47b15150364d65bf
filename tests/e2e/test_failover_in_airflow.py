"""Airflow sees that a model server is gone, asks, and moves its callers: Airflow, PostgreSQL and HAProxy are real.

The tests build on each other in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from cryptography.fernet import Fernet

from dr_lib.demo.airflow_api import AirflowApi
from dr_lib.errors import ObjectiveMissed
from dr_lib.model.serving import Site
from tests.stack.airflow import Stack, airflow
from tests.stack.servers import postgres
from tests.toy_server import ToyServer
from tests.unit.serving.stage import Stage, staged

pytestmark = pytest.mark.timeout(600)
WATCH, OVER, BACK = "dr_serving__api", "dr_failover__api", "dr_failback__api"
FORM = {"reason": "us-east is back", "point": "latest-verified", "differ": "no", "due": "act"}


@dataclass
class Ground:
    """The endpoint, and the Airflow that looks after it. `seen` is what one test leaves for the next."""

    stage: Stage
    stack: Stack
    seen: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    home = tmp_path_factory.mktemp("failover in Airflow")
    with ExitStack() as ending:
        stage = ending.enter_context(staged(home / "world"))
        stage.change(schedule=None)
        database = ending.enter_context(postgres(home / "postgres", "airflow"))
        more = {
            "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__EDGE__API_ENABLED": "False",
            "DR_STANDBY_DIR": str(home / "standby"),
            "DR_CACHE_DIR": str(home / "cache"),
            "DR_KIT": "none",
        }
        config = stage.world.config()
        stack = ending.enter_context(airflow(home / "airflow", database, "redis://127.0.0.1:9/", config, more))
        with stack.person("root") as root:
            root.wait_for_dags({WATCH, OVER, BACK}, 120)
            for dag in (WATCH, OVER, BACK):
                root.unpause(dag)
        yield Ground(stage, stack)


def asked(api: AirflowApi, dag: str) -> str:
    """The run of that DAG that waits for an answer, once it does."""

    def question() -> str | None:
        told = api._send("GET", f"/api/v2/dags/{dag}/dagRuns/~/hitlDetails?response_received=false")["hitl_details"]
        return next((str(one["task_instance"]["dag_run_id"]) for one in told), None)

    found: str = api._poll(question, 120)
    return found


def approve(api: AirflowApi, dag: str, run: str) -> None:
    """Say yes."""
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
    Event().wait(3)  # an answer within about a second may fail the task (Airflow 3.3.2)
    api._persistently()(api._send, "PATCH", path, json={"chosen_options": ["Approve"], "params_input": {}})


def runs(api: AirflowApi, dag: str) -> list[str]:
    return [str(run["dag_run_id"]) for run in api._send("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]]


def test_a_look_at_one_that_is_well_starts_nothing(ground: Ground):
    with ground.stack.person("root") as root:
        run = root.trigger(WATCH, {})
        root.wait(WATCH, run, 120)
        assert {task["task_id"]: task["state"] for task in root.tasks(WATCH, run)} == {
            "watch": "skipped",
            "failover": "skipped",
        }
        assert runs(root, OVER) == []
    assert ground.stage.runtime().serving_views()[0]["primary_stands"] == "healthy"


def test_one_failure_starts_one_failover_which_asks_somebody(ground: Ground):
    ground.stage.toys[Site.PRIMARY].close()
    with ground.stack.person("root") as root:
        for _ in range(2):
            root.wait(WATCH, root.trigger(WATCH, {}), 120)
        run = asked(root, OVER)
        assert runs(root, OVER) == [run]
        assert run.startswith("failing__")
    assert ground.stage.traffic() == "primary"
    ground.seen["run"] = run


def test_when_somebody_approves_callers_are_served_by_the_standby(ground: Ground):
    run = ground.seen["run"]
    with ground.stack.person("ops") as ops:
        approve(ops, OVER, run)
        ops.wait(OVER, run, 180)
        moved = ops.result(OVER, run, "move")
    assert (moved["moved"], moved["to"], moved["by"]) == (True, "standby", "root"), "who started the look"
    assert moved["reason"].startswith("the primary serves and is down")
    assert ground.stage.traffic() == "standby"
    (event,) = ground.stage.events("two")
    assert event["holder"] == f"airflow/{run}"


def test_who_asks_for_the_way_back_cannot_approve_it(ground: Ground):
    old = ground.stage.toys[Site.PRIMARY]
    ground.stage.toys[Site.PRIMARY] = ToyServer(old.directory, old.port).__enter__()
    with ground.stack.person("ops") as ops:
        run = ops.trigger(BACK, FORM)
        approve(ops, BACK, asked(ops, BACK))
        with pytest.raises(ObjectiveMissed, match="ops asked for it, and cannot approve it"):
            ops.wait(BACK, run, 120)
    assert ground.stage.traffic() == "standby"


def test_back_to_the_primary_when_somebody_else_does(ground: Ground):
    with ground.stack.person("ops") as ops, ground.stack.person("colleague") as colleague:
        run = ops.trigger(BACK, FORM)
        approve(colleague, BACK, asked(colleague, BACK))
        ops.wait(BACK, run, 180)
    assert ground.stage.traffic() == "primary"
    assert [event["outcome"] for event in ground.stage.events("two")] == ["moved", "moved"]
    assert ground.stage.lease_is_free()

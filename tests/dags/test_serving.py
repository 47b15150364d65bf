"""DAGs of endpoints: who looks, who is asked, and where a move runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dr_lib.config import load_config

ENDPOINT = {
    "asset": "minilm",
    "url": "http://models:8080",
    "primary": {"url": "http://us:8000", "directory": "/srv/m", "queue": "us-models"},
    "standby": {"url": "http://eu:8000", "directory": "/srv/m"},
    "switch": {"kind": "file", "path": "/run/site", "primary": "us", "standby": "eu"},
}


@pytest.fixture
def dags_of(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def build(**changed: Any) -> dict[str, Any]:
        from dr_airflow.dag_factory import build_dags

        asset = {"kind": "model", "source": "/models/minilm", "regions": ["a", "b"]}
        document = {
            "regions": {name: {"url": f"s3://dr-{name}"} for name in ("a", "b")},
            "encryption": "none",
            "assets": {"minilm": asset | {"smoke": {"loader": "safetensors"}}},
            "serving": {"api": ENDPOINT | changed},
        }
        (tmp_path / "dr.yaml").write_text(json.dumps(document))
        return build_dags(load_config(tmp_path / "dr.yaml"))

    return build


def order(dag: Any) -> set[tuple[str, str]]:
    return {(name, later) for name, task in dag.task_dict.items() for later in task.downstream_task_ids}


def test_an_endpoint_has_three(dags_of: Callable[..., dict[str, Any]]):
    found = dags_of()
    assert {name for name in found if name.endswith("__api")} == {
        "dr_serving__api", "dr_failover__api", "dr_failback__api",
    }  # fmt: skip


def test_the_look_starts_one_failover_for_one_failure(dags_of: Callable[..., dict[str, Any]]):
    dag = dags_of()["dr_serving__api"]
    assert order(dag) == {("watch", "failover")}
    assert (dag.task_dict["watch"].queue, dag.task_dict["watch"].retries) == ("reader", 0)
    call = dag.task_dict["failover"]
    assert (call.trigger_dag_id, call.skip_when_already_exists) == ("dr_failover__api", True)
    assert "failing_since" in call.trigger_run_id
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("step", ["failover", "failback"])
def test_somebody_else_approves_before_anything_moves(dags_of: Callable[..., dict[str, Any]], step: str):
    dag = dags_of()[f"dr_{step}__api"]
    assert order(dag) == {("plan", "approve"), ("approve", "authorise"), ("authorise", "move")}
    assert dag.task_dict["approve"].retries == 0


def test_nobody_is_asked_where_dr_yaml_says_so_but_about_wrong_answers(dags_of: Callable[..., dict[str, Any]]):
    from dr_airflow.failover_dag import _next

    dag = dags_of(approval="automatic")["dr_failover__api"]
    assert order(dag) == {
        ("plan", "decide"), ("decide", "approve"), ("decide", "move"), ("approve", "authorise"), ("authorise", "move"),
    }  # fmt: skip
    assert [_next(due, "approve", "move") for due in ("act", "ask", "anything")] == ["move", "approve", "approve"]


def test_a_move_runs_where_its_sites_directory_is(dags_of: Callable[..., dict[str, Any]]):
    found = dags_of()
    assert found["dr_failover__api"].task_dict["move"].queue == "standby"
    assert found["dr_failback__api"].task_dict["move"].queue == "us-models"


def test_the_lease_is_the_runs_so_that_a_try_after_it_goes_on(dags_of: Callable[..., dict[str, Any]]):
    move = dags_of()["dr_failover__api"].task_dict["move"]
    assert move.holder == "airflow/{{ dag_run.run_id }}"
    assert "holder" in move.template_fields


def test_forms_refuse_what_is_no_reason(dags_of: Callable[..., dict[str, Any]]):
    from airflow.sdk.exceptions import ParamValidationError

    params = dags_of()["dr_failover__api"].params
    with pytest.raises(ParamValidationError):
        params["reason"] = "no"
    assert "planned" in params
    assert "planned" not in dags_of()["dr_failback__api"].params

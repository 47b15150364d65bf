"""What stands in the DAGs: order, mapping, queues, forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from dr_lib.config import load_config
from tests.keys import keys


@pytest.fixture
def dags(write_config):
    from dr_airflow.dag_factory import build_dags

    return build_dags(load_config(write_config("minilm", "tables")))


def test_a_backup_commits_after_all_shards_and_the_proof(dags):
    dag = dags["dr_backup__minilm"]
    assert dag.task_dict["store_shards"].is_mapped
    assert dag.task_dict["commit"].upstream_task_ids >= {"store_shards", "record_proof"}
    assert dag.task_dict["plan"].downstream_task_ids >= {"store_shards", "record_proof"}
    assert dag.task_dict["replicate"].upstream_task_ids == {"commit"}
    assert dag.max_active_runs == 1


def test_a_commit_announces_the_point_on_the_assets_own_airflow_asset(dags):
    names = [outlet.name for outlet in dags["dr_backup__minilm"].task_dict["commit"].outlets]
    assert names == ["dr_points__minilm", "dr_copies"]


def test_every_region_is_verified_by_a_task_of_its_own(dags):
    tasks = dags["dr_verify__minilm"].task_dict
    assert {name: task.region for name, task in tasks.items()} == {
        f"verify_{region}": region for region in ("us-east", "eu-west", "ap-south")
    }
    assert not any(task.upstream_task_ids for task in tasks.values())


def test_the_only_leaf_of_a_drill_is_its_verdict_which_is_no_teardown(dags):
    (leaf,) = dags["dr_drill__minilm"].leaves
    assert leaf.task_id == "verdict"
    assert not leaf.is_teardown
    assert leaf.upstream_task_ids == {"drill"}


def test_a_drill_runs_on_the_standbys_queue_and_is_never_tried_again(dags):
    drill = dags["dr_drill__minilm"].task_dict["drill"]
    assert drill.queue == "standby"
    assert drill.retries == 0


def test_a_drill_with_a_plan_takes_the_scenario_that_is_due(write_config):
    from dr_airflow.dag_factory import build_dags

    path = write_config("minilm")
    one = build_dags(load_config(path))["dr_drill__minilm"]
    path.write_text(path.read_text().replace("drill: {schedule: null}", "drill: {scenarios: all}"))
    rotating = build_dags(load_config(path))["dr_drill__minilm"]
    assert (one.params["scenario"], rotating.params["scenario"]) == ("region-lost", None)
    assert rotating.task_dict["drill"].scenario == "{{ params.scenario or '' }}"
    assert "standby-too-small" in rotating.doc_md


def test_a_drill_runs_where_its_standby_is(write_config):
    path = write_config("minilm")
    path.write_text(
        path.read_text().replace("drill: {schedule: null}", "drill: {standby: gpu-site}")
        + "standbys: {gpu-site: {kind: process, queue: gpu, executor: EdgeExecutor}}\n"
    )
    from dr_airflow.dag_factory import build_dags

    dag = build_dags(load_config(path), "dr_drill__minilm")["dr_drill__minilm"]
    drill, verdict = dag.task_dict["drill"], dag.task_dict["verdict"]
    assert (drill.queue, drill.executor) == ("gpu", "EdgeExecutor")
    assert (verdict.queue, verdict.executor) == ("default", None)


def test_what_opens_a_sealed_vault_runs_where_the_identity_is_and_what_backs_up_does_not(dags):
    queues = {(dag.dag_id, task.task_id): task.queue for dag in dags.values() for task in dag.tasks}
    readers = {name for name, queue in queues.items() if queue == "reader"}
    restoring = {
        (dag, task) for dag in ("dr_restore", "dr_restore_emergency") for task in ("plan", "authorise", "restore")
    }
    verifying = {(dag.dag_id, name) for dag in dags.values() for name in dag.task_dict if name.startswith("verify_")}
    assert len(verifying) == 6
    assert readers == verifying | restoring
    backing_up = {queue for (dag, _), queue in queues.items() if dag.startswith(("dr_backup", "dr_replicate"))}
    assert backing_up == {"default"}


def test_points_go_by_a_task_a_region_where_the_janitors_credentials_are(dags):
    tasks = dags["dr_retention"].task_dict
    assert {name: task.region for name, task in tasks.items()} == {
        f"prune_{region}": region for region in ("ap-south", "eu-west", "us-east")
    }
    assert {task.queue for task in tasks.values()} == {"janitor"}
    assert dags["dr_retention"].max_active_runs == 1


@pytest.mark.parametrize(("said", "does"), [("", "say"), ("prune: {apply: true}\n", "delete")])
def test_nothing_is_deleted_unless_the_configuration_or_a_person_says_so(write_config, said, does):
    from dr_airflow.dag_factory import build_dags

    path = write_config("minilm")
    path.write_text(said + path.read_text())
    assert build_dags(load_config(path))["dr_retention"].params["do"] == does


def test_unpausing_waits_for_the_next_moment_of_the_schedule(dags, monkeypatch):
    from airflow.timetables import trigger
    from airflow.timetables.base import TimeRestriction

    monday = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    monkeypatch.setattr(trigger, "utcnow", lambda: monday + timedelta(seconds=1))
    ours = dags["dr_backup__minilm"].schedule.run_immediately
    weekly = trigger.CronTriggerTimetable("0 3 * * 1", timezone="UTC", run_immediately=ours)
    first = weekly.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(None, None, catchup=False)
    )
    assert first.run_after == monday + timedelta(days=7)


def test_schedules_are_those_of_the_configuration_and_never_made_up_for(dags):
    assert dags["dr_backup__minilm"].schedule.expression == "30 1 * * *"
    assert dags["dr_drill__minilm"].schedule is None
    assert not any(dag.catchup for dag in dags.values())


def test_the_restore_form_knows_the_assets_and_refuses_a_relative_target(dags):
    from airflow.sdk.exceptions import ParamValidationError

    form = dags["dr_restore"].params
    assert form.get_param("asset").schema["enum"] == ["minilm", "tables"]
    assert form.get_param("target").resolve("/srv/models") == "/srv/models"
    with pytest.raises(ParamValidationError):
        form.get_param("target").resolve("models")
    with pytest.raises(ParamValidationError):
        form.get_param("asset").resolve("nothing")


def test_one_dag_is_built_when_one_is_wanted(write_config):
    from dr_airflow.dag_factory import build_dags

    assert list(build_dags(load_config(write_config("minilm", "tables")), "dr_drill__tables")) == ["dr_drill__tables"]


def test_a_configuration_without_assets_has_no_dags(tmp_path):
    from dr_airflow.dag_factory import build_dags

    path = tmp_path / "dr.yaml"
    path.write_text("regions: {us-east: {url: s3://bucket}}\nencryption: none\n")
    assert build_dags(load_config(path)) == {}


def test_freshness_looks_at_all_assets_and_judges_whatever_became_of_that(dags):
    dag = dags["dr_freshness"]
    assert dag.task_dict["refresh"].expand_input.value["assets"] == [["minilm", "tables"]]
    objectives = dag.task_dict["objectives"]
    assert objectives in dag.leaves
    assert (objectives.trigger_rule.value, objectives.retries) == ("all_done", 0)
    assert dag.max_active_runs == 1


def test_a_restore_is_planned_asked_for_written_down_and_only_then_done(dags):
    dag = dags["dr_restore"]
    assert dag.task_dict["approve"].upstream_task_ids == {"plan"}
    assert dag.task_dict["approve"].retries == 0
    assert dag.task_dict["approve"].execution_timeout is None
    assert dag.task_dict["authorise"].trigger_rule.value == "all_done"
    (leaf,) = dag.leaves
    assert (leaf.task_id, leaf.upstream_task_ids, leaf.trigger_rule.value) == ("restore", {"authorise"}, "all_success")


def test_the_emergency_path_is_another_dag_that_asks_nobody(dags):
    dag = dags["dr_restore_emergency"]
    assert list(dag.task_dict) == ["plan", "authorise", "restore"]
    assert dag.task_dict["authorise"].emergency is True
    assert dags["dr_restore"].task_dict["authorise"].emergency is False
    assert "emergency" in dag.tags


def test_a_point_is_verified_as_soon_as_it_was_copied_and_a_region_that_failed_fails_the_run(dags):
    dag = dags["dr_replicate"]
    verify = dag.task_dict["verify"]
    assert verify.trigger_dag_id == "dr_verify__{{ params.asset }}"
    assert dag.task_dict["of_one_point"].trigger_rule == "all_done"
    assert verify.upstream_task_ids == {"of_one_point"}
    assert {leaf.task_id for leaf in dag.leaves} == {"copied", "verify"}
    assert dag.task_dict["copied"].trigger_rule == "all_success"


def test_an_asset_of_one_region_is_verified_after_its_backup(write_config):
    from dr_airflow.dag_factory import build_dags

    path = write_config("minilm")
    path.write_text(path.read_text().replace("regions: [us-east, eu-west, ap-south]", "regions: [us-east]"))
    tasks = build_dags(load_config(path), "dr_backup__minilm")["dr_backup__minilm"].task_dict
    assert "replicate" not in tasks
    assert tasks["verify"].trigger_dag_id == "dr_verify__minilm"


def test_a_free_slot_goes_to_restores_and_drills_before_backups(dags):
    weights = {dag.dag_id: {task.priority_weight for task in dag.tasks} for dag in dags.values()}
    assert {len(found) for found in weights.values()} == {1}
    order = ["dr_restore", "dr_drill__minilm", "dr_freshness", "dr_backup__minilm", "dr_verify__minilm", "dr_retention"]
    assert sorted(order, key=lambda name: -max(weights[name])) == order
    assert {task.weight_rule for task in dags["dr_restore"].tasks} == {"absolute"}


def test_tasks_of_one_region_take_slots_of_its_pool(write_config):
    from dr_airflow.dag_factory import build_dags

    path = write_config("minilm")
    path.write_text(
        path.read_text().replace("eu-west: {", "eu-west: {pool: west, ").replace("us-east: {", "us-east: {pool: east, ")
    )
    dags = build_dags(load_config(path))
    pools = {task.task_id: task.pool for name in ("dr_verify__minilm", "dr_retention") for task in dags[name].tasks}
    assert pools == {
        f"{step}_{region}": pool
        for step in ("verify", "prune")
        for region, pool in {"us-east": "east", "eu-west": "west", "ap-south": "default_pool"}.items()
    }
    assert dags["dr_backup__minilm"].task_dict["store_shards"].partial_kwargs["pool"] == "east"


def test_every_dag_has_an_owner_tags_and_a_runbook_that_is_there(dags):
    runbooks = {path.stem for path in (Path(__file__).parents[2] / "runbooks").glob("*.md")}
    for dag in dags.values():
        assert {task.owner for task in dag.tasks} == {"disaster-recovery"}, dag.dag_id
        assert "dr" in dag.tags
        named = re.search(r"\(/dr/view/runbooks/([a-z-]+)\)", dag.doc_md)
        assert named, dag.dag_id
        assert named[1] in runbooks


def test_airflow_saves_itself_by_a_dag_of_its_own(write_config):
    from dr_airflow.dag_factory import build_dags

    path = write_config("minilm")
    assert "dr_orchestrator_backup" not in build_dags(load_config(path))
    sealed = yaml.safe_dump(
        {**keys().config(), "orchestrator": {"regions": ["us-east", "eu-west"], "queue": "control"}}
    )
    path.write_text(path.read_text().replace("encryption: none\n", sealed))
    dags = build_dags(load_config(path))
    assert "dr_backup__orchestrator" not in dags
    assert {"dr_verify__orchestrator", "dr_drill__orchestrator"} <= set(dags)
    tasks = dags["dr_orchestrator_backup"].task_dict
    assert tasks["save"].queue == "control"
    assert tasks["save"].downstream_task_ids == {"verify_us-east", "verify_eu-west"}
    assert tasks["verify_eu-west"].queue == "reader"

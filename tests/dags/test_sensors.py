"""`RecoveryPointSensor`: what counts as protected, what is waited for, and when it gives up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from dr_lib.clock import utc_now
from tests.world import ASSET, World, make_world

ROOT = Path(__file__).resolve().parents[2]
HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(tmp_path / "w", asset={"kind": "dataset"})
    (made.source / "file").write_bytes(b"x" * 1000)
    monkeypatch.setenv("DR_CONFIG", str(made.config()))
    return made


def sensor(**more: Any) -> Any:
    from dr_airflow.sensors import RecoveryPointSensor

    return RecoveryPointSensor(task_id="wait", asset=ASSET, **{"younger_than": HOUR, **more})


def test_it_waits_without_a_slot_until_a_point_is_verified(world: World):
    waiting = sensor(poll_every=timedelta(minutes=2))
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute({})
    assert deferred.value.trigger.serialize()[0].endswith("DateTimeTrigger")
    world.runtime.backup(ASSET)
    with pytest.raises(TaskDeferred):
        waiting.look_again({}, **deferred.value.kwargs)
    assert world.runtime.verify(ASSET)["ok"]
    found = getattr(waiting, deferred.value.method_name)({}, event="the moment", **deferred.value.kwargs)
    assert (found["regions"], found["silent"]) == (["one", "two"], {})
    assert found["age_s"] < 3600


def test_a_point_that_is_too_old_is_not_enough_and_it_gives_up_in_time(world: World):
    world.runtime.backup(ASSET)
    world.runtime.verify(ASSET)
    late = (utc_now() + timedelta(seconds=1)).isoformat()
    with pytest.raises(
        AirflowFailException, match=rf"{ASSET}: the newest verified point is \d+ s old, 0:00:00 are allowed"
    ):
        sensor(younger_than=timedelta(0)).look_again({}, until=late)


def test_a_region_that_does_not_answer_holds_nothing(world: World):
    world.runtime.backup(ASSET)
    world.runtime.verify(ASSET)
    world.regions["one"].rename(world.folder / "away")
    assert sensor().execute({})["regions"] == ["two"]
    late = (utc_now() + timedelta(seconds=1)).isoformat()
    with pytest.raises(AirflowFailException, match="no verified point, 1:00:00 are allowed; no answer from one"):
        sensor(region="one").look_again({}, until=late)


def test_the_example_is_a_dag(monkeypatch: pytest.MonkeyPatch, airflow_home: Path):
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(ROOT / "docs" / "examples")
    assert bag.import_errors == {}
    (dag,) = bag.dags.values()
    assert dag.task_dict["data_is_protected"].downstream_task_ids == {"train"}

"""Which dr.yaml is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from dr_lib.errors import NotFound


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("DR_CONFIG", raising=False)
    monkeypatch.delenv("AIRFLOW_VAR_DR_CONFIG", raising=False)


def test_the_environment_wins_and_asks_nobody(monkeypatch):
    from dr_airflow import configuration

    monkeypatch.setenv("DR_CONFIG", "/etc/dr/here.yaml")
    monkeypatch.setattr(configuration, "Variable", None)
    assert configuration.config_file() == Path("/etc/dr/here.yaml")


def test_else_airflows_variable_says_it(monkeypatch):
    from dr_airflow.configuration import config_file

    monkeypatch.setenv("AIRFLOW_VAR_DR_CONFIG", "/etc/dr/shared.yaml")
    assert config_file() == Path("/etc/dr/shared.yaml")


def test_tasks_work_by_the_variable(monkeypatch, write_config):
    from dr_airflow.operators import open_runtime

    monkeypatch.setenv("AIRFLOW_VAR_DR_CONFIG", str(write_config("minilm")))
    assert list(open_runtime().config.assets) == ["minilm"]


def test_a_restore_that_could_not_be_planned_is_not_decided_on(monkeypatch, write_config):
    from dr_airflow.operators import AuthoriseRestoreOperator

    monkeypatch.setenv("DR_CONFIG", str(write_config("minilm")))
    facts = {"asset": "minilm", "reason": "it burns", "ticket": "", "requester": "ops", "target": "/t"}
    with pytest.raises(NotFound, match="nothing was planned"):
        AuthoriseRestoreOperator(task_id="a", point="", **facts).work()

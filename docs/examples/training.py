"""A training pipeline that begins only when its data can be brought back, and has its result backed up and drilled."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, task
from dr_airflow.sensors import RecoveryPointSensor


@dag(schedule=None, catchup=False, tags=["training", "dr"])
def train_minilm() -> None:
    """Protected data in, protected weights out."""
    protected = RecoveryPointSensor(
        task_id="data_is_protected",
        asset="reviews",
        younger_than=timedelta(hours=2),
        give_up_after=timedelta(hours=6),
    )

    @task
    def train() -> str:
        """Yours."""
        return "/models/minilm"

    # The weights count as trained when a point of them exists and a drill has brought it back.
    backup = TriggerDagRunOperator(task_id="back_up", trigger_dag_id="dr_backup__minilm", wait_for_completion=True)
    verify = TriggerDagRunOperator(task_id="verify", trigger_dag_id="dr_verify__minilm", wait_for_completion=True)
    drill = TriggerDagRunOperator(task_id="drill", trigger_dag_id="dr_drill__minilm", wait_for_completion=True)
    protected >> train() >> backup >> verify >> drill


train_minilm()

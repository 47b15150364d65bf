"""A training pipeline that begins only when its data can be brought back, and has its result backed up and drilled."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from dr_airflow.operators import BackupOperator, DrillOperator, DrillVerdictOperator, VerifyOperator
from dr_airflow.sensors import RecoveryPointSensor

MODEL, REGIONS = "minilm", ("us-east", "eu-west")


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
        return f"/models/{MODEL}"

    # The weights count as trained when a point of them exists and a drill has brought it back.
    backup = BackupOperator(task_id="back_up", asset=MODEL)
    verify = VerifyOperator.partial(task_id="verify", asset=MODEL, queue="reader").expand(region=list(REGIONS))
    drill = DrillOperator(task_id="drill", asset=MODEL, queue="standby", retries=0)
    verdict = DrillVerdictOperator(task_id="verdict", report=drill.output, retries=0)
    protected >> train() >> backup >> verify >> drill >> verdict


train_minilm()

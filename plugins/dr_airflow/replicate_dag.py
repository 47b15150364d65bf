"""`dr_replicate`: brings every region the points it lacks; on demand for one point, every hour for all."""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, TriggerRule, task

from dr_airflow.announcements import COPIES
from dr_airflow.conventions import REPLICATE_DAG, dag_arguments, schedule
from dr_airflow.forms import choice, field
from dr_airflow.operators import ReplicateOperator

_DOC = """# Replicate
Copies recovery points, byte for byte, to every region their asset names. A backup starts a run for its point; the
hourly run compares the vaults themselves, so that a start that was missed costs an hour and no point. A point that was
copied is verified at once."""


def replicate_dag(assets: tuple[str, ...]) -> DAG:
    """The replication of all assets, mapped per asset so that they proceed and fail apart."""
    dag = DAG(
        REPLICATE_DAG,
        schedule=schedule("0 * * * *"),
        params={
            "asset": choice(assets, None, title="Asset (empty: all)"),
            "point": field(None, type=["null", "string"], title="Recovery point (empty: all)"),
        },
        **dag_arguments("replicate", "Copy recovery points to every region", _DOC),
    )
    with dag:
        replicate = ReplicateOperator.partial(
            task_id="replicate",
            point="{{ params.point or '' }}",
            map_index_template="{{ task.asset }}",
            outlets=[COPIES],
        ).expand(asset=_chosen(assets))
        # What was copied is read again at once, also when one region failed. A leaf of its own says that one did.
        replicate >> EmptyOperator(task_id="copied")
        replicate >> _is_of_one_point() >> _verification()
    return dag


def _verification() -> TriggerDagRunOperator:
    return TriggerDagRunOperator(
        task_id="verify",
        trigger_dag_id="dr_verify__{{ params.asset }}",
        trigger_run_id="point__{{ params.asset }}__{{ params.point }}",
        skip_when_already_exists=True,
    )


@task.short_circuit(task_id="of_one_point", trigger_rule=TriggerRule.ALL_DONE)
def _is_of_one_point(params: dict[str, str | None] | None = None) -> bool:
    asked = params or {}
    return bool(asked["asset"] and asked["point"])


@task(task_id="choose")
def _chosen(assets: tuple[str, ...], params: dict[str, str | None] | None = None) -> list[str]:
    asked = (params or {})["asset"]
    return list(assets) if asked is None else [asked]

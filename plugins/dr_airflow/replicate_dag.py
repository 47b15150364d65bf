"""`dr_replicate`: brings every region the points it lacks; on demand for one point, every hour for all."""

from __future__ import annotations

from airflow.sdk import DAG, task

from dr_airflow.conventions import REPLICATE_DAG, choice, dag_arguments, field, schedule
from dr_airflow.operators import ReplicateOperator

_DOC = """# Replicate
Copies recovery points, byte for byte, to every region their asset names. A backup starts a run for its point; the
hourly run compares the vaults themselves, so that a start that was missed costs an hour and no point."""


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
        ReplicateOperator.partial(
            task_id="replicate", point="{{ params.point or '' }}", map_index_template="{{ task.asset }}"
        ).expand(asset=_chosen(assets))
    return dag


@task(task_id="choose")
def _chosen(assets: tuple[str, ...], params: dict[str, str | None] | None = None) -> list[str]:
    asked = (params or {})["asset"]
    return list(assets) if asked is None else [asked]

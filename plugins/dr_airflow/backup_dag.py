"""`dr_backup__<asset>`: plan, store the shards on all workers, record the proof, commit, have it replicated."""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

from dr_airflow.alarms import deadline
from dr_airflow.announcements import COPIES, points_of
from dr_airflow.conventions import REPLICATE_DAG, Pools, dag_arguments, dag_id, promise, schedule
from dr_airflow.forms import ask, choice
from dr_airflow.operators import BackupPlanOperator, CommitBackupOperator, RecordProofOperator, StoreShardsOperator
from dr_lib.model.asset import Asset

_WANTED_REGION = "{{ params.region or '' }}"
_REGION = "{{ ti.xcom_pull(task_ids='plan', key='region') }}"
_RUN = "{{ ti.xcom_pull(task_ids='plan', key='run') }}"
_POINT = "{{ ti.xcom_pull(task_ids='commit')['point'] }}"

_DOC = """# Back up {name}
A recovery point exists only after the task `commit`; any task may be cleared and run again.
The point is then copied to the other regions by `dr_replicate`. When it is unlike the last good one, `commit` fails:
the point is stored in quarantine and not copied; once it is cleared, clear `commit` and the run goes on.

{promise}"""


def backup_dag(asset: Asset, pools: Pools) -> DAG:
    """The backup of one asset. One run at a time: two would read the same source for the same result.

    Its shards take slots of the first region's pool, where they go as long as it answers.
    """
    doc = _DOC.format(name=asset.name, promise=promise(asset))
    dag = DAG(
        dag_id("backup", asset.name),
        schedule=schedule(asset.schedule),
        max_active_runs=1,
        deadline=deadline(dag_id("backup", asset.name), asset.objectives.rpo),
        **dag_arguments("backup", f"Back up {asset.name}", doc, asset.name, runbook="backup-quarantined"),
    )
    with dag:
        commit = _commit_of(asset, pools[asset.regions[0]])
        commit >> (_replication(asset) if len(asset.regions) > 1 else _verification(asset))
    return ask(dag, {"region": choice(asset.regions, None, title="Into region (empty: the first that answers)")})


def _commit_of(asset: Asset, pool: str) -> CommitBackupOperator:
    plan = BackupPlanOperator(task_id="plan", asset=asset.name, region=_WANTED_REGION)
    shards = StoreShardsOperator.partial(
        task_id="store_shards",
        asset=asset.name,
        region=_REGION,
        run=_RUN,
        pool=pool,
        map_index_template="shards {{ task.shards[0] }} to {{ task.shards[1] - 1 }}",
    ).expand(shards=plan.output)
    proof = RecordProofOperator(task_id="record_proof", asset=asset.name, region=_REGION, run=_RUN)
    commit = CommitBackupOperator(
        task_id="commit", asset=asset.name, region=_REGION, run=_RUN, outlets=[points_of(asset.name), COPIES]
    )
    plan >> [shards, proof] >> commit
    return commit


def _replication(asset: Asset) -> TriggerDagRunOperator:
    # The run id follows from the point, so that a commit told twice starts one replication.
    return TriggerDagRunOperator(
        task_id="replicate",
        trigger_dag_id=REPLICATE_DAG,
        trigger_run_id=f"point__{asset.name}__{_POINT}",
        conf={"asset": asset.name, "point": _POINT},
        skip_when_already_exists=True,
    )


def _verification(asset: Asset) -> TriggerDagRunOperator:
    # Where there is nothing to copy, nothing else would have the new point read again before the night.
    return TriggerDagRunOperator(
        task_id="verify",
        trigger_dag_id=dag_id("verify", asset.name),
        trigger_run_id=f"point__{asset.name}__{_POINT}",
        skip_when_already_exists=True,
    )

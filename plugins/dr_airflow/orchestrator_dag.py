"""`dr_orchestrator_backup`: Airflow saves itself."""

from __future__ import annotations

from airflow.sdk import DAG

from dr_airflow.alarms import deadline
from dr_airflow.conventions import ORCHESTRATOR_DAG, READER_QUEUE, Pools, dag_arguments, promise, schedule
from dr_airflow.operators import SaveOrchestratorOperator, VerifyOperator
from dr_lib.model.asset import Asset
from dr_lib.model.orchestrator import OrchestratorPolicy

_DOC = """# Save the orchestrator
Airflow's database, connections, variables, settings, DAG and plugin files, dr.yaml, the catalog and the versions of
everything, sealed into every region. `drctl recover` brings them back on a bare machine, with every DAG paused, until
a person says go.

{promise}"""


def orchestrator_dag(asset: Asset, policy: OrchestratorPolicy, pools: Pools) -> DAG:
    """Save it, then read what was saved again. It is saved on the queue that dr.yaml names for it."""
    dag = DAG(
        ORCHESTRATOR_DAG,
        schedule=schedule(asset.schedule),
        max_active_runs=1,
        deadline=deadline(ORCHESTRATOR_DAG, asset.objectives.rpo),
        **dag_arguments(
            "backup", "Save Airflow itself", _DOC.format(promise=promise(asset)), asset.name, runbook="airflow-lost"
        ),
    )
    where = {} if policy.queue is None else {"queue": policy.queue}
    with dag:
        saved = SaveOrchestratorOperator(task_id="save", **where)
        for region in asset.regions:
            saved >> VerifyOperator(
                task_id=f"verify_{region}", asset=asset.name, region=region, queue=READER_QUEUE, pool=pools[region]
            )
    return dag

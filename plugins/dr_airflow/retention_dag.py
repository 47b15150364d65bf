"""`dr_retention`: lets points go that no rule of `retention` keeps, in two phases that are days apart."""

from __future__ import annotations

from airflow.sdk import DAG

from dr_airflow.conventions import JANITOR_QUEUE, RETENTION_DAG, Pools, dag_arguments, schedule
from dr_airflow.forms import choice
from dr_airflow.operators import PruneOperator
from dr_lib.model.prune import PrunePolicy

_DOC = """# Retention
Each run judges all points again, deletes what a plan of long ago and this judgement both name, and plans what may go
now. A plan waits for `prune.grace` of dr.yaml ({grace}). {does}

The task of each region stands alone: a lost region stops nothing but what it alone may know of."""
_DELETES = "`prune.apply` is true: **runs plan and delete.**"
_DRY = "`prune.apply` is not true: runs say what would go, and **change nothing**, unless the form says otherwise."


def retention_dag(pools: Pools, policy: PrunePolicy) -> DAG:
    """Both phases for all assets, a task a region. It deletes only where dr.yaml, or who starts it, says so."""
    doc = _DOC.format(grace=policy.grace, does=_DELETES if policy.apply else _DRY)
    dag = DAG(
        RETENTION_DAG,
        schedule=schedule(policy.schedule),
        max_active_runs=1,
        params={"do": choice(("say", "delete"), "delete" if policy.apply else "say", title="What to do")},
        **dag_arguments("retention", "Let points go that no rule keeps", doc, runbook="store-full"),
    )
    with dag:
        for region, pool in pools.items():
            PruneOperator(
                task_id=f"prune_{region}", region=region, do="{{ params.do }}", queue=JANITOR_QUEUE, pool=pool
            )
    return dag

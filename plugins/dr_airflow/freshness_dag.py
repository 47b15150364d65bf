"""`dr_freshness`: looks at what the regions really hold, and fails when anything is not protected."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, TriggerRule

from dr_airflow.conventions import FRESHNESS_DAG, dag_arguments, schedule
from dr_airflow.operators import AlarmOperator, FreshnessOperator, RefreshCatalogOperator
from dr_lib.model.config import CatalogPolicy

_BATCH = 25
_DOC = """# Freshness
Asks every region what it holds, whatever the other DAGs claim, and writes it into the catalog that the page reads. The
task `objectives` fails when an asset has no verified point as young as its RPO demands, a region does not answer, a
drill is missing, or nothing was looked at for {stale_after}.

What is new is told to whom `alerts:` of dr.yaml names: what is not protected any more, and what is again (task
`alarm`).

A run that fails says which assets and why; `drctl status` asks again. See the runbook that the problem names, and
runbooks/region-lost.md for a region that does not answer."""


def freshness_dag(assets: tuple[str, ...], policy: CatalogPolicy) -> DAG:
    """The refresh of the catalog, mapped over batches of assets, and the judgement after it, whatever became of it.

    It is not tried again: the next run is minutes away, and looks afresh.
    """
    doc = _DOC.format(stale_after=policy.stale_after)
    dag = DAG(
        FRESHNESS_DAG,
        schedule=schedule(policy.schedule),
        max_active_runs=1,
        **dag_arguments("freshness", "Is everything protected?", doc, is_alarmed=False),
    )
    with dag:
        # Both are leaves: that somebody was told makes nothing well.
        refresh = RefreshCatalogOperator.partial(
            task_id="refresh",
            map_index_template="{{ task.assets[0] }} and {{ task.assets | length - 1 }} more",
            retries=0,
            execution_timeout=timedelta(hours=1),
        ).expand(assets=[list(assets[start : start + _BATCH]) for start in range(0, len(assets), _BATCH)])
        judged = FreshnessOperator(task_id="objectives", retries=0, trigger_rule=TriggerRule.ALL_DONE)
        told = AlarmOperator(task_id="alarm", retries=2, trigger_rule=TriggerRule.ALL_DONE)
        refresh >> [judged, told]
    return dag

"""`dr_drill__<asset>`: a timed restore into the standby, and a verdict of its own."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from dr_airflow.alarms import deadline
from dr_airflow.conventions import STANDBY_QUEUE, dag_arguments, dag_id, promise, schedule
from dr_airflow.forms import ask, choice, field
from dr_airflow.operators import DrillOperator, DrillVerdictOperator
from dr_lib.model.asset import Asset
from dr_lib.model.scenario import SCENARIOS
from dr_lib.model.standby import LOCAL, StandbyPolicy

_AROUND = timedelta(minutes=30)
"""For what is no part of the RTO: a free slot, the sensitivity control, the evidence."""
_DOC = """# Drill {name}
Brings a disaster over the asset, as far as dr.yaml allows, and undoes it: where the form names none, the one due
by its plan ({plan}). Restores the asset into the standby (`{standby}`) from a region that survives, runs the smoke test
there in a fresh process, measures RTO and RPO, and leaves the evidence in a surviving vault.
The run succeeds exactly when the objectives were proven: see the task `verdict`.

{promise}"""


def drill_dag(asset: Asset, standby: StandbyPolicy = LOCAL) -> DAG:
    """The drill of one asset, run by a worker of the standby's own site, or of the queue that all others share.

    `verdict` is a leaf that is no teardown: a teardown as only leaf would hide a failure.
    """
    doc = _DOC.format(name=asset.name, standby=asset.drill.standby, plan=_plan(asset), promise=promise(asset))
    dag = DAG(
        dag_id("drill", asset.name),
        schedule=schedule(asset.drill.schedule),
        max_active_runs=1,
        deadline=deadline(dag_id("drill", asset.name), 2 * asset.objectives.rto + _AROUND),
        **dag_arguments(
            "drill", f"Prove that {asset.name} can be restored", doc, asset.name, runbook="model-corrupted"
        ),
    )
    with dag:
        drill = _drill(asset, standby)
        DrillVerdictOperator(task_id="verdict", report=drill.output, retries=0)
    return ask(dag, _form(asset))


def _plan(asset: Asset) -> str:
    return ", ".join(asset.drill.scenarios or (asset.drill.scenario,))


def _form(asset: Asset) -> dict[str, Param]:
    return {
        "scenario": choice(SCENARIOS, None if asset.drill.scenarios else asset.drill.scenario, title="Scenario"),
        "region": choice(asset.regions, asset.regions[0], title="Region that is lost"),
        "disaster_at": field(
            None,
            type=["null", "string"],
            format="date-time",
            title="Moment of the disaster",
            description="RTO and RPO count from here; empty means the start of the drill.",
        ),
    }


def _drill(asset: Asset, standby: StandbyPolicy) -> DrillOperator:
    # No retries: a second try would be another measurement. One that takes this long has hung.
    return DrillOperator(
        task_id="drill",
        asset=asset.name,
        scenario="{{ params.scenario or '' }}",
        region="{{ params.region }}",
        disaster_at="{{ params.disaster_at or '' }}",
        queue=standby.queue or STANDBY_QUEUE,
        executor=standby.executor,
        retries=0,
        execution_timeout=4 * asset.objectives.rto + timedelta(hours=1),
    )

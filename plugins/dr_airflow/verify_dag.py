"""`dr_verify__<asset>`: reads every copy again that no verification has found whole yet, region by region."""

from __future__ import annotations

from airflow.sdk import DAG

from dr_airflow.conventions import READER_QUEUE, Pools, dag_arguments, dag_id, promise, schedule
from dr_airflow.forms import ask, choice
from dr_airflow.operators import VerifyOperator
from dr_lib.model.asset import Asset

_DOC = """# Verify {name}
Every byte of every copy is read and compared with its digest. A run follows every new point as soon as it is copied;
the scheduled run asks the vaults which copies are due, not earlier runs: a missed run leaves nothing unverified.

{promise}"""


def verify_dag(asset: Asset, pools: Pools) -> DAG:
    """The full verification of one asset; a task a region, so that one lost region hides no other."""
    dag = DAG(
        dag_id("verify", asset.name),
        schedule=schedule(asset.verify_schedule),
        max_active_runs=1,
        **dag_arguments(
            "verify",
            f"Verify the copies of {asset.name}",
            _DOC.format(name=asset.name, promise=promise(asset)),
            asset.name,
            runbook="model-corrupted",
        ),
    )
    with dag:
        for region in asset.regions:
            VerifyOperator(
                task_id=f"verify_{region}",
                asset=asset.name,
                region=region,
                scope="{{ params.scope }}",
                queue=READER_QUEUE,
                pool=pools[region],
            )
    return ask(dag, {"scope": choice(("unverified", "all"), "unverified", title="Which copies")})

"""`dr_verify__<asset>`: reads every copy again that no verification has found whole yet, region by region."""

from __future__ import annotations

from airflow.sdk import DAG

from dr_airflow.conventions import READER_QUEUE, choice, dag_arguments, dag_id, promise, schedule
from dr_airflow.operators import VerifyCopiesOperator
from dr_lib.model.asset import Asset

_DOC = """# Verify {name}
Every byte of every copy is read and compared with its digest. Which copies are due is asked of the vaults,
not of earlier runs: a missed run leaves nothing unverified.

{promise}"""


def verify_dag(asset: Asset) -> DAG:
    """The full verification of one asset; one mapped task a region, so that one lost region hides no other."""
    dag = DAG(
        dag_id("verify", asset.name),
        schedule=schedule(asset.verify_schedule),
        max_active_runs=1,
        params={"scope": choice(("unverified", "all"), "unverified", title="Which copies")},
        **dag_arguments(
            "verify",
            f"Verify the copies of {asset.name}",
            _DOC.format(name=asset.name, promise=promise(asset)),
            asset.name,
        ),
    )
    with dag:
        VerifyCopiesOperator.partial(
            task_id="verify",
            asset=asset.name,
            scope="{{ params.scope }}",
            map_index_template="{{ task.region }}",
            queue=READER_QUEUE,
        ).expand(region=list(asset.regions))
    return dag

"""`dr_restore`: a recovery point back into a directory, started from a form."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from dr_airflow.conventions import READER_QUEUE, RESTORE_DAG, choice, dag_arguments, field
from dr_airflow.operators import RestoreOperator

_DOC = """# Restore
Puts a recovery point into a directory on the worker. The directory must be empty or not there: nothing is ever
overwritten, and nothing is left in its place when the restore fails."""


def restore_dag(assets: tuple[str, ...], regions: tuple[str, ...]) -> DAG:
    """The restore on demand; the form refuses unknown assets and regions and relative targets."""
    dag = DAG(
        RESTORE_DAG,
        schedule=None,
        params=_form(assets, regions),
        **dag_arguments("restore", "Restore a recovery point", _DOC),
    )
    with dag:
        RestoreOperator(
            task_id="restore",
            asset="{{ params.asset }}",
            target="{{ params.target }}",
            point="{{ params.point }}",
            region="{{ params.region or '' }}",
            queue=READER_QUEUE,
        )
    return dag


def _form(assets: tuple[str, ...], regions: tuple[str, ...]) -> dict[str, Param]:
    return {
        "asset": choice(assets, assets[0], title="Asset"),
        "point": field("latest", type="string", minLength=1, title="Recovery point", description="An id, or latest"),
        "region": choice(regions, None, title="From region (empty: the best)", section="Where"),
        "target": Param(type="string", pattern="^/.+", title="Target directory on the worker", section="Where"),
    }

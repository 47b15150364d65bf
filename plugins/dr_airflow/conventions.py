"""What all DAGs share: names, retries, tags and the texts a person reads in the web interface."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset as AirflowAsset

from dr_lib.model.asset import Asset

OWNER = "disaster-recovery"
STANDBY_QUEUE = "standby"
REPLICATE_DAG = "dr_replicate"
RESTORE_DAG = "dr_restore"
LONGEST_TASK = timedelta(hours=24)


def dag_id(step: str, asset: str) -> str:
    """`dr_backup__minilm` and its like."""
    return f"dr_{step}__{asset}"


def points_of(asset: str) -> AirflowAsset:
    """The Airflow asset whose events announce the recovery points of `asset`."""
    return AirflowAsset(name=f"dr_points__{asset}", uri=f"dr://points/{asset}", group="dr")


def dag_arguments(step: str, summary: str, doc: str, *tags: str) -> dict[str, Any]:
    """Arguments of every DAG. Runs of the past are never made up for: a point of then cannot be taken now."""
    return {
        "description": summary,
        "doc_md": doc,
        "catchup": False,
        "tags": ["dr", step, *tags],
        "default_args": {
            "owner": OWNER,
            "retries": 3,
            "retry_delay": timedelta(seconds=10),
            "retry_exponential_backoff": 3,
            "max_retry_delay": timedelta(minutes=10),
            "execution_timeout": LONGEST_TASK,
        },
    }


def promise(asset: Asset) -> str:
    """One Markdown table row a promise: source, regions and objectives of the asset."""
    return (
        "| | |\n|---|---|\n"
        f"| asset | `{asset.name}` ({asset.kind}) |\n"
        f"| source | `{asset.source.url}` |\n"
        f"| regions | {', '.join(asset.regions)} |\n"
        f"| objectives | RPO {asset.objectives.rpo}, RTO {asset.objectives.rto} |\n"
    )

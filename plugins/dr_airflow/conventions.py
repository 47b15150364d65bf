"""What all DAGs share: names, retries, tags and the texts a person reads in the web interface."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable

from dr_airflow.alarms import failed, succeeded
from dr_lib.model.asset import Asset
from dr_lib.model.region import Region

OWNER = "disaster-recovery"
STANDBY_QUEUE = "standby"
READER_QUEUE = "reader"
"""Of tasks that open what is sealed: their workers hold the identity, which machines that back up must not have."""
JANITOR_QUEUE = "janitor"
"""Of tasks that delete: their workers alone hold the janitor's credentials."""
REPLICATE_DAG = "dr_replicate"
RESTORE_DAG = "dr_restore"
EMERGENCY_DAG = "dr_restore_emergency"
RETENTION_DAG = "dr_retention"
FRESHNESS_DAG = "dr_freshness"
ORCHESTRATOR_DAG = "dr_orchestrator_backup"
LONGEST_TASK = timedelta(hours=24)
DEFAULT_POOL = "default_pool"
RUNBOOKS = "/dr/view/runbooks"
_FIRST = {
    "failover": 120, "failback": 110, "restore": 100, "serving": 90, "drill": 80, "freshness": 60, "backup": 40,
    "replicate": 30, "verify": 20,
}  # fmt: skip
"""Who gets a free slot first: in an incident nothing waits behind the backups, and nobody is blind."""

Pools = Mapping[str, str]
"""The pool of each region, by its name."""


def dag_id(step: str, asset: str) -> str:
    """`dr_backup__minilm` and its like."""
    return f"dr_{step}__{asset}"


def schedule(cron: str | None) -> CronTriggerTimetable | None:
    """The cron line in UTC, from the next moment that it names on; None is by hand.

    Given as plain text, Airflow starts a run as soon as a new DAG is unpaused when the moment before passed less than a
    tenth of the interval ago: most of a day for a weekly drill, which would find nothing to prove yet.
    `run_immediately=False` does the same (3.3.2); a span of nothing does not.
    """
    return None if cron is None else CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))


def dag_arguments(
    step: str, summary: str, doc: str, *tags: str, runbook: str = "region-lost", is_alarmed: bool = True
) -> dict[str, Any]:
    """Arguments of every DAG. Runs of the past are never made up for: a point of then cannot be taken now.

    `runbook` is what to read when it fails, by its file's name. A failed run is told to people, and that the next one
    succeeded, unless the DAG tells them itself (`is_alarmed` is False).
    """
    callbacks = {"on_failure_callback": failed, "on_success_callback": succeeded} if is_alarmed else {}
    return {
        **callbacks,
        "description": summary,
        "doc_md": f"{doc}\n\n**When it fails:** [{runbook}.md]({RUNBOOKS}/{runbook})\n",
        "catchup": False,
        "tags": ["dr", step, *tags],
        "default_args": {
            "owner": OWNER,
            "priority_weight": _FIRST.get(step, 1),
            "weight_rule": "absolute",
            "retries": 3,
            "retry_delay": timedelta(seconds=10),
            "retry_exponential_backoff": 3,
            "max_retry_delay": timedelta(minutes=10),
            "execution_timeout": LONGEST_TASK,
        },
    }


def pool_of(region: Region) -> str:
    """Whose slots a task takes that works on that region alone."""
    return region.pool or DEFAULT_POOL


def promise(asset: Asset) -> str:
    """One Markdown table row a promise: source, regions and objectives of the asset."""
    return (
        "| | |\n|---|---|\n"
        f"| asset | `{asset.name}` ({asset.kind}) |\n"
        f"| source | `{asset.source.url}` |\n"
        f"| regions | {', '.join(asset.regions)} |\n"
        f"| objectives | RPO {asset.objectives.rpo}, RTO {asset.objectives.rto} |\n"
    )

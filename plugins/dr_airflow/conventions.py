"""What all DAGs share: names, retries, tags and the texts a person reads in the web interface."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset as AirflowAsset
from airflow.sdk import CronTriggerTimetable, Param

from dr_lib.model.asset import Asset

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
LONGEST_TASK = timedelta(hours=24)
_DIALECT = "http://json-schema.org/draft-07/schema#"


def dag_id(step: str, asset: str) -> str:
    """`dr_backup__minilm` and its like."""
    return f"dr_{step}__{asset}"


def points_of(asset: str) -> AirflowAsset:
    """The Airflow asset whose events announce the recovery points of `asset`."""
    return AirflowAsset(name=f"dr_points__{asset}", uri=f"dr://points/{asset}", group="dr")


def schedule(cron: str | None) -> CronTriggerTimetable | None:
    """The cron line in UTC, from the next moment that it names on; None is by hand.

    Given as plain text, Airflow starts a run as soon as a new DAG is unpaused when the moment before passed less than a
    tenth of the interval ago: most of a day for a weekly drill, which would find nothing to prove yet.
    `run_immediately=False` does the same (3.3.2); a span of nothing does not.
    """
    return None if cron is None else CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))


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


def field(default: str | None, *, title: str, section: str = "What", **schema: Any) -> Param:
    """A field of a DAG's form, checked against this JSON schema.

    Airflow checks every schema against its dialect at every parse; draft 7 costs a third of the newest one.
    """
    return Param(default, **{"$schema": _DIALECT, "title": title, "section": section, **schema})


def choice(options: Iterable[str], default: str | None, *, title: str, section: str = "What") -> Param:
    """A drop-down list; without a default it may be left empty."""
    if default is None:
        return field(None, title=title, section=section, type=["null", "string"], enum=[None, *options])
    return field(default, title=title, section=section, type="string", enum=list(options))


def promise(asset: Asset) -> str:
    """One Markdown table row a promise: source, regions and objectives of the asset."""
    return (
        "| | |\n|---|---|\n"
        f"| asset | `{asset.name}` ({asset.kind}) |\n"
        f"| source | `{asset.source.url}` |\n"
        f"| regions | {', '.join(asset.regions)} |\n"
        f"| objectives | RPO {asset.objectives.rpo}, RTO {asset.objectives.rto} |\n"
    )

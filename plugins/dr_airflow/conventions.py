"""What all DAGs share: names, retries, tags and the texts a person reads in the web interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, AssetAlias, CronTriggerTimetable, Param
from airflow.sdk import Asset as AirflowAsset
from airflow.sdk.definitions.param import ParamsDict

from dr_airflow.alarms import failed, succeeded
from dr_lib.model.asset import Asset
from dr_lib.model.region import Region

if TYPE_CHECKING:
    from airflow.sdk import Context

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
DEFAULT_POOL = "default_pool"
RUNBOOKS = "/dr/view/runbooks"
_FIRST = {"restore": 100, "drill": 80, "freshness": 60, "backup": 40, "replicate": 30, "verify": 20}
"""Who gets a free slot first: in an incident nothing waits behind the backups, and nobody is blind."""
_DIALECT = "http://json-schema.org/draft-07/schema#"


def dag_id(step: str, asset: str) -> str:
    """`dr_backup__minilm` and its like."""
    return f"dr_{step}__{asset}"


def points_of(asset: str) -> AirflowAsset:
    """The Airflow asset whose events announce the recovery points of `asset`."""
    return AirflowAsset(name=f"dr_points__{asset}", uri=f"dr://points/{asset}", group="dr")


COPIES = AssetAlias(name="dr_copies", group="dr")
"""Stands for all `copy_of`: what is copied where is known when it is done."""


def copy_of(asset: str, region: str) -> AirflowAsset:
    """The Airflow asset whose events announce that a point of `asset` lies in `region`."""
    return AirflowAsset(name=f"dr_copies__{asset}__{region}", uri=f"dr://copies/{asset}/{region}", group="dr")


def announce(context: Context, asset: str, copies: Iterable[Mapping[str, Any]]) -> None:
    """An event for each of `copies` (`point`, `region`, `new_bytes`). They are news for other people's DAGs: nothing
    here believes one, so that a forged event protects nothing and deletes nothing."""
    for one in copies:
        extra = {"point": one["point"], "region": one["region"], "new_bytes": one["new_bytes"]}
        context["outlet_events"][COPIES].add(copy_of(asset, one["region"]), extra=extra)


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


Pools = Mapping[str, str]
"""The pool of each region, by its name."""


def pool_of(region: Region) -> str:
    """Whose slots a task takes that works on that region alone."""
    return region.pool or DEFAULT_POOL


def field(default: str | None, *, title: str, section: str = "What", **schema: Any) -> Param:
    """A field of a DAG's form, checked against this JSON schema.

    Airflow checks every schema against its dialect at every parse; draft 7 costs a third of the newest one.
    """
    return Param(default, **{"$schema": _DIALECT, "title": title, "section": section, **schema})


def ask(dag: DAG, form: Mapping[str, Param]) -> DAG:
    """Give a DAG its form, once it has all its tasks: each task that is added later would copy the form. The values
    reach the tasks all the same, by way of the run.

    As an attribute like any other it would be checked against its schema at every parse. Both together take half of the
    time that 500 assets need; the defaults are checked by the tests, and what people fill in by Airflow.
    """
    object.__setattr__(dag, "params", ParamsDict(form))
    return dag


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

"""What becomes of a run of a DAG, for people: callbacks of failures, of successes after them, and of lateness.

They run in Airflow's own processes, and a message that cannot be sent must not bring these down: it is logged there,
and told again with the next run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from dr_lib.errors import DrError
from dr_lib.model.alert import Condition, Severity

if TYPE_CHECKING:
    from airflow.sdk import Context

_LOG = logging.getLogger(__name__)
_RUN, _LATE = "run:", "late:"
_FINISHED = ("success", "failed")


def failed(context: Context) -> None:
    """A run failed: tell it, unless it was told of the run before."""
    dag, run = _names(context)
    why = str(context.get("reason") or "see its log")
    _alarm(dag, [Condition(_RUN + dag, _severity(dag), f"{dag} failed ({why}), run {run}")])


def succeeded(context: Context) -> None:
    """A run succeeded: if failures or lateness were told, they are over."""
    _alarm(_names(context)[0], [])


async def late(context: Mapping[str, Any], dag: str, after: str) -> None:
    """A run is not done after that time. Airflow calls this of runs that have ended, too: those are not late."""
    run = context["dag_run"]
    state, name = (run.get("state"), run.get("dag_run_id")) if isinstance(run, Mapping) else (run.state, run.run_id)
    if str(state) not in _FINISHED:
        condition = Condition(_LATE + dag, _severity(dag), f"{dag} is not done after {after}, run {name}")
        await asyncio.to_thread(_alarm, dag, [condition], late_alone=True)


def deadline(dag: str, within: timedelta) -> list[DeadlineAlert]:
    """The alarm of a DAG whose runs ought to be done within that time of being queued."""
    callback = AsyncCallback(late, kwargs={"dag": dag, "after": str(within)})
    reference = DeadlineReference.DAGRUN_QUEUED_AT
    return [DeadlineAlert(name=f"{dag} in time", reference=reference, interval=within, callback=callback)]


def _alarm(dag: str, conditions: list[Condition], *, late_alone: bool = False) -> None:
    from dr_airflow.operators.base import open_runtime

    seen = {_LATE + dag} if late_alone else {_RUN + dag, _LATE + dag}
    try:
        open_runtime().alarm(conditions, seen.__contains__)
    except DrError:
        _LOG.exception("nobody could be told of %s", dag)


def _names(context: Context) -> tuple[str, str]:
    run = context["dag_run"]
    return str(run.dag_id), str(run.run_id)


def _severity(dag: str) -> Severity:
    """Of a drill or a restore that failed nobody can wait to hear; that backups are missing the RPO tells in time."""
    return Severity.CRITICAL if dag.startswith(("dr_drill", "dr_restore", "dr_fail")) else Severity.WARNING

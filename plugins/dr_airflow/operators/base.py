"""What every operator of the recovery life cycle shares.

All fields are templated; an empty string stands for "not given". XCom carries ids and small facts, never bytes.
Every operator may run twice for one task: the steps are keyed by asset, region and run, never by the try number.
Nothing heavy is imported before `execute`, so that DAG files parse at once.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Variable

from dr_airflow.failures import airflow_failures
from dr_airflow.links import EvidenceLink, PointLink, drill_page, point_page
from dr_airflow.log_progress import LoggedProgress
from dr_lib.model.orchestrator import TERM_VARIABLE
from dr_lib.telemetry import exporting, span

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dr_lib.runtime import Runtime

Facts = dict[str, Any]


class RecoveryOperator(BaseOperator):
    """Does `work`, maps its failures, and hands its result to Airflow; subclasses say the work."""

    ui_color = "#d7ecea"
    operator_extra_links = (PointLink(), EvidenceLink())

    def execute(self, context: Context) -> Any:
        """Do the work; a `DrError` that no retry can help fails the task at once."""
        with airflow_failures(), exporting(os.environ):
            with span(f"task.{self.task_id}") as running:
                running.note(_names(context))
                result = self.work()
            self.pages = self._pages_of(result)
            return self.hand_over(result, context)

    def work(self) -> Facts:
        """The step itself, on the worker."""
        raise NotImplementedError

    def hand_over(self, result: Facts, context: Context) -> Any:  # noqa: ARG002 - for subclasses that need it
        """What becomes the task's XCom; events and further XComs are set here."""
        return result

    def _pages_of(self, result: Any) -> dict[str, str]:
        """What the buttons of the task lead to, by their names."""
        told: Facts = result if isinstance(result, dict) else {}
        asset = str(told.get("asset") or getattr(self, "asset", ""))
        found = {
            PointLink.NAME: point_page(asset, told.get("point")),
            EvidenceLink.NAME: drill_page(asset, told.get("drill")),
        }
        return {name: page for name, page in found.items() if page}

    def progress(self) -> LoggedProgress:
        """How far the step is, into the task's log."""
        return LoggedProgress(self.log)


def _names(context: Context) -> dict[str, str]:
    """What the task is to Airflow, in the words of Airflow's own spans."""
    try:
        task = context["ti"]
    except KeyError:  # an operator that somebody runs by hand
        return {}
    words = {"airflow.dag_id": "dag_id", "airflow.dag_run.run_id": "run_id", "airflow.task_id": "task_id"}
    return {word: str(getattr(task, name, "")) for word, name in words.items()}


def open_runtime() -> Runtime:
    """The runtime of `config_file()`, with credentials from Airflow's connections where it names them.

    `Refused` (7) in an Airflow from which another one took over: two must not run the schedules of the same vaults.
    """
    from dr_airflow.configuration import config_file
    from dr_airflow.connections import connection_credentials
    from dr_lib.runtime import Runtime

    runtime = Runtime.load(config_file(), connections=connection_credentials)
    if runtime.config.orchestrator is not None:
        known: str | None = Variable.get(TERM_VARIABLE, default=None)
        runtime.refuse_superseded(int(known) if known else None)
    return runtime

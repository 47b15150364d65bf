"""Airflow saves itself, and knows whether it is still the one that runs the schedules."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Variable

from dr_airflow.operators.backup import BackupOperator, trusted
from dr_airflow.operators.base import TERM_VARIABLE, Facts, open_runtime
from dr_lib.model.orchestrator import NAME


class SaveOrchestratorOperator(BackupOperator):
    """Backs up Airflow itself: its database, connections, variables, settings, code and versions; copies it to all
    regions.

    It runs where Airflow's own settings are, with the key that its connections are encrypted with, and where
    `orchestrator.database` of dr.yaml leads to the database. XCom: the point; no secret.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(asset=NAME, **kwargs)

    def work(self) -> Facts:
        """The committed point. The first run of all takes the first term."""
        runtime = open_runtime()
        known: str | None = Variable.get(TERM_VARIABLE, default=None)
        held = runtime.hold_term(int(known) if known else None)
        if known != str(held):
            Variable.set(TERM_VARIABLE, str(held), description="Which orchestrator this is; drctl recover sets it")
        return trusted(runtime.backup_orchestrator(airflow_settings(), progress=self.progress()))


def airflow_settings() -> dict[str, str]:
    """What somebody set of Airflow's settings, wherever, as variables; secrets included. Not for any log."""
    from airflow.configuration import conf

    found = conf.as_dict(display_source=True, display_sensitive=True)
    given: dict[str, str] = {}
    for section, options in found.items():
        for option, told in options.items():
            value, source = told if isinstance(told, tuple) else (told, "")
            if source != "default" and value is not None:
                given[f"AIRFLOW__{section.upper().replace('.', '_')}__{option.upper()}"] = str(value)
    return given

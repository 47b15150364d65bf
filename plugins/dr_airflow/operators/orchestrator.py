"""Airflow saves itself, and knows whether it is still the one that runs the schedules."""

from __future__ import annotations

import os
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

from airflow.sdk import Variable

from dr_airflow.operators.backup import BackupOperator, trusted
from dr_airflow.operators.base import Facts, open_runtime
from dr_lib.model.orchestrator import FERNET_KEY, NAME, TERM_VARIABLE


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
        runtime, settings = open_runtime(), airflow_settings()
        known: str | None = Variable.get(TERM_VARIABLE, default=None)
        held = runtime.hold_term(int(known) if known else None, settings.get("AIRFLOW__API__BASE_URL", ""))
        if known != str(held):
            Variable.set(TERM_VARIABLE, str(held), description="Which orchestrator this is; drctl recover sets it")
        return trusted(runtime.backup_orchestrator(settings, progress=self.progress()))


def _of_file(path: Path) -> dict[tuple[str, str], str]:
    """What airflow.cfg says and somebody wrote there: Airflow itself fills it with its defaults, and with paths below
    its home, which is another one on another machine."""
    from airflow.configuration import conf

    file = RawConfigParser()
    file.read(path)
    found = {}
    for section in file.sections():
        for option, escaped in file.items(section):
            value = escaped.replace("%%", "%")
            default = str(conf.get_default_value(section, option, fallback="", raw=True)).replace("%%", "%")
            if value != default and str(path.parent) not in value:
                found[section, option] = value
    return found


def airflow_settings() -> dict[str, str]:
    """What somebody set of Airflow's settings, in its file or the environment, as variables; secrets included. Not for
    any log.

    Airflow keeps the address of its database from tasks; that comes from dr.yaml. A setting that a command or a secrets
    backend gives is taken as what it gives now.
    """
    from airflow.configuration import AIRFLOW_CONFIG, conf

    named = _of_file(Path(AIRFLOW_CONFIG))
    for name, value in os.environ.items():
        parts = name.split("__", 2)
        if len(parts) == 3 and parts[0] == "AIRFLOW":
            named[parts[1].lower(), parts[2].lower()] = value
    given: dict[str, str] = {FERNET_KEY: str(conf.get("core", "fernet_key", fallback=""))}
    for (section, option), value in named.items():
        plain = option.removesuffix("_cmd").removesuffix("_secret")
        if (section, plain) not in conf.sensitive_config_values:
            plain = option
        if not plain.startswith("sql_alchemy_conn"):
            found = value if plain == option else str(conf.get(section, plain))
            given[f"AIRFLOW__{section.upper().replace('.', '_')}__{plain.upper()}"] = found
    return given

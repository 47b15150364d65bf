"""Which dr.yaml is meant: the one that `DR_CONFIG` names, else the one that Airflow's variable `dr_config` does."""

from __future__ import annotations

import os
from pathlib import Path

from airflow.sdk import Variable

from dr_lib.config.load import VARIABLE

AIRFLOW_VARIABLE = "dr_config"


def config_file() -> Path | None:
    """Its path; None where neither names one, which is then looked for where `drctl` looks.

    The environment wins: it asks nobody, and a machine may have a file of its own. The variable holds a path, which has
    to be the same on every machine of this Airflow.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    shared: str | None = Variable.get(AIRFLOW_VARIABLE, default=None)
    return Path(shared) if shared else None

"""An Airflow home that no other test and no person uses; configurations of any size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASSET = """
  {name}:
    kind: {kind}
    source: file:///models/{name}
    regions: [us-east, eu-west, ap-south]
    schedule: "30 1 * * *"
    drill: {{schedule: null}}
"""


@pytest.fixture(scope="session", autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Airflow keeps its files when a test imports it. Set before any test of this folder imports Airflow."""
    home = tmp_path_factory.mktemp("airflow")
    os.environ["AIRFLOW_HOME"] = str(home)
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "plugins")
    return home


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """`write_config("minilm", "tables")` writes a dr.yaml with these assets and gives its path."""

    def write(*names: str) -> Path:
        regions = "".join(f"  {name}: {{url: 's3://dr-{name}'}}\n" for name in ("us-east", "eu-west", "ap-south"))
        assets = "".join(ASSET.format(name=name, kind="dataset") for name in names)
        path = tmp_path / "dr.yaml"
        path.write_text(f"regions:\n{regions}encryption: none\nassets:{assets}")
        return path

    return write


@dataclass(frozen=True)
class Parsed:
    """What parsing the DAG folder once, in a fresh process, gave and did."""

    dag_ids: list[str]
    import_errors: dict[str, str]
    seconds: float
    heavy: list[str]
    events: list[list[str]]
    serialized: dict[str, Any]


@pytest.fixture
def parse(airflow_home: Path) -> Callable[..., Parsed]:
    """Parses `dags/` in a process of its own, as Airflow's DAG processor does."""

    def run(config: Path, *serialize: str, seed: str = "0") -> Parsed:
        env = {
            **os.environ,
            "DR_CONFIG": str(config),
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
        }
        script = ROOT / "tests" / "dags" / "dagbag_report.py"
        command = [sys.executable, str(script), str(ROOT / "dags"), *serialize]
        told = subprocess.run(command, env=env, cwd=airflow_home, capture_output=True, text=True, check=True)
        return Parsed(**json.loads(told.stdout.splitlines()[-1]))

    return run

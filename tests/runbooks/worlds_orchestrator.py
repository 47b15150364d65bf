"""The world of the runbook in which Airflow itself is lost: a real metadata database, saved in two regions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import yaml
from cryptography.fernet import Fernet

from dr_lib.runtime import Runtime
from tests.runbooks.world_parts import TABLES, backup, tables
from tests.stack.servers import free_port

if TYPE_CHECKING:
    from tests.runbooks.runbook_world import RunbookWorld

ROOT = __file__.rpartition("/tests/")[0]


def airflow_lost(world: RunbookWorld) -> None:
    """A dataset with verified copies in two regions, and an Airflow that saved itself there."""
    world.own("reviews", {**TABLES, "regions": ["us-east", "eu-west"]}, tables)
    document = yaml.safe_load(world.config.read_text())
    saved = {"regions": ["us-east", "eu-west"], "dags": f"{ROOT}/dags", "plugins": f"{ROOT}/plugins"}
    document["orchestrator"] = {**saved, "saves_keys": True}
    world.config.write_text(yaml.safe_dump(document, sort_keys=False))
    world.runtime.initialize()
    backup(world, "reviews")
    _save_airflow(world)
    kept = world.regions["eu-west"]
    world.names |= {"VAULT": "s3://dr-eu-west", "ENDPOINT": kept.endpoint, "PORT": str(free_port())}
    world.names |= {"DR_EU_WEST_ACCESS_KEY_ID": kept.access_key, "DR_EU_WEST_SECRET_ACCESS_KEY": kept.secret_key}
    world.names |= {"KEY": str(world.folder / "escrow.agekey"), "HOME_DIR": str(world.folder / "airflow")}
    shutil.copy(world.keys / "escrow.agekey", world.folder / "escrow.agekey")


def _save_airflow(world: RunbookWorld) -> None:
    home = world.folder / "old airflow"
    url = f"sqlite:///{home}/airflow.db"
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
        "AIRFLOW__CORE__DAGS_FOLDER": f"{ROOT}/dags",
        "AIRFLOW__CORE__PLUGINS_FOLDER": f"{ROOT}/plugins",
    }
    airflow, environ = [sys.executable, "-m", "airflow"], os.environ | own | {"DR_CONFIG": str(world.config)}
    subprocess.run([*airflow, "db", "migrate"], env=environ, check=True, capture_output=True)
    environ |= {"DR_AIRFLOW_DATABASE": url} | world.secrets()
    runtime = Runtime.load(world.config, environ=environ)
    runtime.hold_term(None)
    runtime.backup("orchestrator")
    runtime.verify("orchestrator", unverified=True)


def _lose_all(world: RunbookWorld) -> None:
    for name in ("old airflow", "keys", ".dr-state"):
        shutil.rmtree(world.folder / name, ignore_errors=True)
    world.config.unlink()


EVENTS: dict[str, Callable[..., None]] = {r"Airflow and its machine are lost": _lose_all}
WORLDS: dict[str, Callable[[RunbookWorld], None]] = {"airflow-lost": airflow_lost}

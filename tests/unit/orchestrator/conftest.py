"""A metadata database with the tables that count, without Airflow; two sealed regions; somebody with a key."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from dr_lib import reviving
from dr_lib.clock import utc_now
from dr_lib.runtime import Runtime
from dr_lib.use_cases.bare_vault import Address
from tests.keys import fresh_keys, keys

TABLES = """
CREATE TABLE alembic_version (version_num VARCHAR(32));
INSERT INTO alembic_version VALUES ('abc123');
CREATE TABLE dag (dag_id TEXT PRIMARY KEY, is_paused BOOLEAN);
CREATE TABLE dag_run (id INTEGER PRIMARY KEY, dag_id TEXT, run_id TEXT, state TEXT, end_date TEXT);
CREATE TABLE dag_run_note (dag_run_id INTEGER PRIMARY KEY, user_id TEXT, content TEXT, created_at TEXT,
    updated_at TEXT);
CREATE TABLE task_instance (dag_id TEXT, run_id TEXT, task_id TEXT, state TEXT, end_date TEXT, trigger_id INTEGER);
CREATE TABLE connection (id INTEGER PRIMARY KEY, conn_id TEXT, conn_type TEXT, description TEXT, host TEXT, login TEXT,
    password TEXT, schema TEXT, port INTEGER, extra TEXT, is_encrypted BOOLEAN, is_extra_encrypted BOOLEAN);
CREATE TABLE variable (id INTEGER PRIMARY KEY, key TEXT, val TEXT, is_encrypted BOOLEAN);
CREATE TABLE job (id INTEGER PRIMARY KEY, job_type TEXT, state TEXT, latest_heartbeat TEXT, end_date TEXT);
CREATE TABLE asset_dag_run_queue (asset_id INTEGER, target_dag_id TEXT);
INSERT INTO dag VALUES ('dr_backup__m', false), ('dr_drill__m', true);
INSERT INTO dag_run VALUES (1, 'dr_backup__m', 'old', 'success', '2026-01-01'),
    (2, 'dr_backup__m', 'now', 'running', NULL);
INSERT INTO task_instance VALUES ('dr_backup__m', 'old', 'plan', 'success', NULL, NULL),
    ('dr_backup__m', 'now', 'plan', 'success', NULL, NULL), ('dr_backup__m', 'now', 'store_shards', 'running', NULL, 7),
    ('dr_backup__m', 'now', 'commit', NULL, NULL, NULL);
INSERT INTO asset_dag_run_queue VALUES (1, 'dr_verify__m');
"""


@dataclass
class Site:
    """The old orchestrator's machine, the vaults, and the escrow key."""

    folder: Path
    fernet: str
    environ: dict[str, str]

    @property
    def database(self) -> Path:
        return self.folder / "old" / "airflow.db"

    @property
    def settings(self) -> dict[str, str]:
        return {"AIRFLOW__CORE__FERNET_KEY": self.fernet, "AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}

    def runtime(self) -> Runtime:
        return Runtime.load(self.folder / "dr.yaml", environ=self.environ)

    def save(self) -> str:
        return str(self.runtime().backup_orchestrator(self.settings)["point"])

    def order(self, to: str = "new", **more: Any) -> reviving.Order:
        address = Address((self.folder / "two").as_uri(), self.folder / "escrow.agekey")
        asked = {"vault": address, "folder": self.folder / to, "packages": "here", "starts": False}
        return reviving.Order(**asked | more)

    def recover(self, to: str = "new", **more: Any) -> dict[str, Any]:
        return reviving.recover(self.order(to, **more), environ={"DR_CACHE_DIR": str(self.folder / "cache")})

    def sql(self, query: str, database: Path | None = None) -> list[Any]:
        with sqlite3.connect(database or self.database) as opened:
            found = opened.execute(query).fetchall()
        opened.close()
        return found

    def lose(self) -> None:
        self.database.unlink()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    fernet = Fernet.generate_key().decode()
    (tmp_path / "old").mkdir()
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "own.py").write_text("x = 1\n")
    with sqlite3.connect(tmp_path / "old" / "airflow.db") as opened:
        opened.executescript(TABLES)
        hidden = Fernet(fernet.encode()).encrypt(b"hush").decode()
        opened.execute(
            "INSERT INTO connection (conn_id, conn_type, password, is_encrypted, is_extra_encrypted) "
            f"VALUES ('pager', 'http', '{hidden}', true, false)"
        )
        beat = (utc_now() - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
        opened.execute(f"INSERT INTO job VALUES (1, 'SchedulerJob', 'running', '{beat}', NULL)")
    opened.close()
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "weights.bin").write_bytes(b"weights" * 1000)
    (tmp_path / "escrow.agekey").write_text(keys().escrow + "\n")
    (tmp_path / "other.agekey").write_text(fresh_keys().operations + "\n")
    regions = {name: {"url": (tmp_path / name).as_uri()} for name in ("one", "two")}
    document = {
        "version": 1,
        **keys().config(),
        "regions": regions,
        "assets": {"m": {"kind": "model", "source": str(tmp_path / "m"), "regions": ["one", "two"]}},
        "orchestrator": {"regions": ["one", "two"], "dags": "dags", "saves_keys": True},
    }
    (tmp_path / "dr.yaml").write_text(json.dumps(document))
    url = f"sqlite:///{tmp_path}/old/airflow.db"
    made = Site(tmp_path, fernet, keys().all() | {"DR_AIRFLOW_DATABASE": url, "DR_CACHE_DIR": str(tmp_path / "cache")})
    made.runtime().initialize()
    made.runtime().backup("m")
    return made

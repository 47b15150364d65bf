""".env: everything that the file asks for, secrets that fit what they are for, and none that is ever overwritten."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from dr_lib.config import load_config
from tests.unit.deploy.compose_file import ROOT, VARIABLE, compose, services, texts

EXAMPLE = ROOT / "deploy" / "env.example"
PUBLIC = {"DR_SOURCES", "DR_CONFIG_FILE", "AIRFLOW_PORT"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a space in its path and no .env."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    return folder


def make_env(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(checkout / "deploy" / "make-env.sh")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def values(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {line.partition("=")[0]: line.partition("=")[2] for line in lines}


def test_the_example_names_what_the_file_asks_for_and_holds_no_secret():
    asked = {found["name"] for text in texts(compose()) for found in VARIABLE.finditer(text)}
    example = values(EXAMPLE)
    assert set(example) == asked
    assert {name for name, value in example.items() if value} == PUBLIC


def test_made_secrets_are_all_different_and_for_their_owner_alone(checkout: Path):
    assert make_env(checkout).returncode == 0
    made = values(checkout / ".env")
    secrets = [value for name, value in made.items() if name not in PUBLIC]
    assert len(set(secrets)) == len(secrets) == len(values(EXAMPLE)) - len(PUBLIC)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}=?", secret) for secret in secrets)
    assert stat.S_IMODE((checkout / ".env").stat().st_mode) == 0o600
    Fernet(made["AIRFLOW_FERNET_KEY"])


def test_an_env_that_is_there_is_not_touched(checkout: Path):
    (checkout / ".env").write_text("POSTGRES_PASSWORD=in-use\n")
    done = make_env(checkout)
    assert (done.returncode, "stays as it is" in done.stderr) == (7, True)
    assert (checkout / ".env").read_text() == "POSTGRES_PASSWORD=in-use\n"


def test_no_secret_is_printed(checkout: Path):
    done = make_env(checkout)
    assert not any(
        value in done.stdout + done.stderr for value in values(checkout / ".env").values() if len(value) > 20
    )


def test_git_and_the_image_leave_env_out():
    done = subprocess.run(["git", "check-ignore", "--quiet", ".env"], cwd=ROOT, env=dict(os.environ), check=False)
    assert done.returncode == 0
    assert (ROOT / ".dockerignore").read_text().splitlines()[0] == "*"


def test_the_configuration_names_the_regions_that_are_started_and_locks_the_third():
    config = load_config(ROOT / "deploy" / "dr.yaml")
    assert list(config.regions) == ["us-east", "eu-west", "ap-south"]
    for name, region in config.regions.items():
        assert region.store.endpoint == f"http://{name}:8333"
        assert name in services()
    assert [name for name, region in config.regions.items() if region.lock] == ["ap-south"]
    assert all(asset.source.url.startswith("file:///sources/") for asset in config.assets.values())

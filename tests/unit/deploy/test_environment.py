""".env: everything that the file asks for, secrets that fit what they are for, and none that is ever overwritten."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from dr_lib.config import ConfigError, load_config
from dr_lib.crypto import age, key_text
from dr_lib.keys import SecretSource, keyset
from tests.unit.deploy.compose_file import ROOT, VARIABLE, compose, services, texts

EXAMPLE = ROOT / "deploy" / "env.example"
PUBLIC = {"DR_SOURCES", "DR_CONFIG_FILE", "AIRFLOW_PORT"}
KEYS = {"DR_IDENTITY", "DR_WRITER_KEY", "DR_SIGNING_KEY"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a space in its path and no .env."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    return folder


def make_env(checkout: Path) -> subprocess.CompletedProcess[str]:
    return script(checkout, "make-env.sh")


def make_keys(checkout: Path) -> subprocess.CompletedProcess[str]:
    return script(checkout, "make-keys.sh", DRCTL=str(Path(sys.executable).with_name("drctl")))


def script(checkout: Path, name: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(checkout / "deploy" / name)]
    env = {**os.environ, **environ}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=env)


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
    secrets = [value for name, value in made.items() if name not in PUBLIC | KEYS]
    assert len(set(secrets)) == len(secrets) == len(values(EXAMPLE)) - len(PUBLIC | KEYS)
    assert {made[name] for name in KEYS} == {""}
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


@pytest.mark.parametrize("path", [".env", "keys/ops.agekey"])
def test_git_and_the_image_leave_secrets_out(path: str):
    done = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, env=dict(os.environ), check=False)
    assert done.returncode == 0
    assert (ROOT / ".dockerignore").read_text().splitlines()[0] == "*"


@pytest.fixture
def keyed(checkout: Path) -> Path:
    """A checkout after both scripts."""
    assert make_env(checkout).returncode == 0
    done = make_keys(checkout)
    assert done.returncode == 0, done.stderr
    return checkout


def test_nothing_is_backed_up_before_it_is_said_for_whom():
    with pytest.raises(ConfigError, match="encryption"):
        load_config(ROOT / "deploy" / "dr.yaml")


def test_the_keys_fit_the_configuration_and_each_its_role(keyed: Path):
    config = load_config(keyed / "deploy" / "dr.yaml")
    env = values(keyed / ".env")
    found = keyset(config.encryption, config.signing, SecretSource(env, None))
    assert found.seals
    assert found.writer
    assert age.recipient_of(found.identities[0]) in found.recipients
    assert found.signer is not None
    assert found.signer.public in found.trusted
    assert all(env[name] for name in values(EXAMPLE))
    assert stat.S_IMODE((keyed / ".env").stat().st_mode) == 0o600


def test_the_files_of_the_keys_are_the_owners_and_no_secret_is_printed_or_in_the_configuration(checkout: Path):
    make_env(checkout)
    done = make_keys(checkout)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (checkout / "keys").iterdir()} == {0o600}
    texts = [key_text.in_file(path.read_text()).text for path in (checkout / "keys").iterdir()]
    assert len(texts) == 4
    shown = done.stdout + done.stderr + (checkout / "deploy" / "dr.yaml").read_text()
    assert not [text for text in texts if text in shown]


def test_keys_that_are_there_are_not_touched(keyed: Path):
    before = {path: path.read_text() for path in keyed.rglob("*") if path.is_file()}
    assert make_keys(keyed).returncode == 7
    (keyed / ".env").write_text((ROOT / "deploy" / "env.example").read_text())
    assert "names keys already" in make_keys(keyed).stderr
    shutil.copy(ROOT / "deploy" / "dr.yaml", keyed / "deploy" / "dr.yaml")
    assert make_keys(keyed).returncode == 7
    kept = {path: path.read_text() for path in (keyed / "keys").iterdir()}
    assert kept.items() <= before.items()
    assert values(keyed / ".env")["DR_IDENTITY"] == ""


def test_the_configuration_names_the_regions_that_are_started_and_locks_the_third(keyed: Path):
    config = load_config(keyed / "deploy" / "dr.yaml")
    assert list(config.regions) == ["us-east", "eu-west", "ap-south"]
    for name, region in config.regions.items():
        assert region.store.endpoint == f"http://{name}:8333"
        assert name in services()
    assert [name for name, region in config.regions.items() if region.lock] == ["ap-south"]
    assert all(asset.source.url.startswith("file:///sources/") for asset in config.assets.values())

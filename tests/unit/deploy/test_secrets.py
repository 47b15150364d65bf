"""deploy/make-secrets.sh: every secret that the stack asks for, fit for what it is for, and none ever overwritten."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy
from cryptography.fernet import Fernet

from dr_lib.config import ConfigError, load_config
from dr_lib.crypto import age, key_text
from dr_lib.keys import SecretSource, keyset
from dr_lib.model.serving import Site
from tests.stack.servers import postgres
from tests.unit.deploy.compose_file import ROOT, compose, secrets_of, services

REGIONS = ("us-east", "eu-west", "ap-south")
DRCTL = str(Path(sys.executable).with_name("drctl"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a space in its path and no secret."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    shutil.copy(ROOT / ".env.example", folder)
    return folder


def make(checkout: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(checkout / "deploy" / "make-secrets.sh")]
    env = {**os.environ, "DRCTL": DRCTL, **environ}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=env)


@pytest.fixture
def made(checkout: Path) -> Path:
    done = make(checkout)
    assert done.returncode == 0, done.stderr
    return checkout


def secret(checkout: Path, name: str) -> str:
    return (checkout / "secrets" / name).read_text()


def test_every_secret_that_the_stack_asks_for_is_made_and_no_other(made: Path):
    found = {path.name for path in (made / "secrets").iterdir()}
    assert found == {*compose()["secrets"], "public.yaml"}
    assert all(path.stat().st_size for path in (made / "secrets").iterdir())
    assert (made / ".env").read_text() == (ROOT / ".env.example").read_text()


def test_the_folder_is_its_owners_alone_and_a_container_may_read_what_it_is_given(made: Path):
    assert stat.S_IMODE((made / "secrets").stat().st_mode) == stat.S_IMODE((made / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made / "secrets").iterdir()} == {0o444}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made / "keys").iterdir()} == {0o600}


def test_secrets_are_all_different_and_long(made: Path):
    words = ["postgres_password", "catalog_password", "redis_password", "airflow_secret_key", "airflow_jwt_secret"]
    words += ["dr_metrics_token", "grafana_password", "airflow_fernet_key"]
    found = [secret(made, name) for name in words]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}=?", one) for one in found)
    Fernet(secret(made, "airflow_fernet_key"))


def test_addresses_lead_to_services_that_there_are(made: Path):
    for name, service, password in (
        ("airflow_database", "postgres", "postgres_password"),
        ("catalog_url", "postgres", "catalog_password"),
        ("celery_broker", "redis", "redis_password"),
        ("celery_results", "redis", "redis_password"),
    ):
        url = urlsplit(secret(made, name))
        assert (url.hostname, url.password) == (service, secret(made, password))
        assert service in services()


def test_the_profile_of_a_region_is_what_its_server_lets_in(made: Path):
    profiles = configparser.ConfigParser()
    profiles.read_string(secret(made, "region_credentials"))
    assert tuple(profiles.sections()) == REGIONS
    for region in REGIONS:
        (one,) = json.loads(secret(made, f"{region.replace('-', '_')}_s3"))["identities"]
        (keys,) = one["credentials"]
        assert keys == {
            "accessKey": profiles[region]["aws_access_key_id"],
            "secretKey": profiles[region]["aws_secret_access_key"],
        }


def test_nothing_is_backed_up_before_it_is_said_for_whom():
    with pytest.raises(ConfigError, match="encryption"):
        load_config(ROOT / "deploy" / "dr.yaml")


def test_the_keys_fit_the_configuration(made: Path):
    text = (made / "deploy" / "dr.yaml").read_text()
    (made / "deploy" / "here.yaml").write_text(text.replace("/run/secrets", str(made / "secrets")))
    config = load_config(made / "deploy" / "here.yaml")
    found = keyset(config.encryption, config.signing, SecretSource({}, None))
    assert found.seals
    assert found.writer
    assert age.recipient_of(found.identities[0]) in found.recipients
    assert len(found.recipients) == 2
    assert found.signer is not None
    assert found.signer.public in found.trusted
    assert len(SecretSource({}, None).text(config.metrics.token or "") or "") >= 16


@pytest.mark.parametrize(
    ("name", "can"),
    [
        ("worker", {"seal", "sign"}),
        ("reader", {"read", "sign"}),
        ("standby", {"read", "sign"}),
        ("janitor", {"sign"}),
        ("api-server", {"be scraped"}),
        ("dag-processor", set()),
        ("triggerer", set()),
    ],
)
def test_one_configuration_serves_every_role_with_its_own_keys_alone(
    made: Path, tmp_path: Path, name: str, can: set[str]
):
    """What a service is not given is not there for it, and is no mistake."""
    given = tmp_path / "run"
    given.mkdir()
    for one in secrets_of(name):
        shutil.copy(made / "secrets" / one, given)
    text = (made / "deploy" / "dr.yaml").read_text()
    (made / "deploy" / "here.yaml").write_text(text.replace("/run/secrets", str(given)))
    config, secrets = load_config(made / "deploy" / "here.yaml"), SecretSource({}, None)
    found = keyset(config.encryption, config.signing, secrets)
    had = {"seal": found.writer, "read": found.identities, "sign": found.signer}
    had |= {"be scraped": secrets.text(config.metrics.token or "")}
    assert {what for what, key in had.items() if key} == can
    assert secrets.text(config.catalog.url)


def test_the_configuration_names_what_is_started(made: Path):
    config = load_config(made / "deploy" / "dr.yaml")
    assert tuple(config.regions) == REGIONS
    assert all(region.store.endpoint == f"http://{name}:8333" for name, region in config.regions.items())
    assert set(REGIONS) <= set(services())
    assert [name for name, region in config.regions.items() if region.lock] == ["ap-south"]
    assert all(asset.source.url.startswith("file:///sources/") for asset in config.assets.values())
    (endpoint,) = config.serving.values()
    named = [endpoint.url, *(site.url for site in endpoint.sites.values())]
    assert [urlsplit(url).hostname for url in named] == ["haproxy", "model-primary", "model-standby"]
    targets = {text.split(":")[1] for text in services()["standby"]["volumes"] if text.startswith("serving")}
    place = endpoint.sites[Site.STANDBY].directory
    assert place is not None
    assert [str(place.parent)] == list(targets)
    assert f"{place}/current" in services()["model-standby"]["command"]


def test_no_secret_is_printed_or_in_the_configuration(checkout: Path):
    done = make(checkout)
    shown = done.stdout + done.stderr + (checkout / "deploy" / "dr.yaml").read_text() + (checkout / ".env").read_text()
    texts = [key_text.in_file(path.read_text()).text for path in (checkout / "keys").iterdir()]
    texts += [secret(checkout, name) for name in compose()["secrets"]]
    assert [text for text in texts if text.strip() in shown] == []


def test_what_is_there_is_not_touched(made: Path):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    done = make(made)
    assert (done.returncode, "stays as it is" in done.stderr) == (7, True)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_a_try_that_was_killed_is_gone_on_with(checkout: Path):
    (checkout / "secrets.new").mkdir()
    (checkout / "secrets.new" / "half").write_text("x")
    shipped = (checkout / "deploy" / "dr.yaml").read_text()
    assert make(checkout).returncode == 0
    assert not (checkout / "secrets.new").exists()
    (checkout / "keys").rename(checkout / "secrets" / "keys")
    (checkout / "deploy" / "dr.yaml").write_text(shipped)
    before = secret(checkout, "dr_identity")
    assert make(checkout).returncode == 0
    assert secret(checkout, "dr_identity") == before
    assert load_config(checkout / "deploy" / "dr.yaml").encryption is not None


def test_keys_that_are_known_already_are_not_made_anew(made: Path):
    shutil.rmtree(made / "secrets")
    done = make(made)
    assert (done.returncode, "names keys already" in done.stderr) == (7, True)
    shutil.copy(ROOT / "deploy" / "dr.yaml", made / "deploy")
    assert "keys/ is there already" in make(made).stderr
    assert not (made / "secrets").exists()


def test_without_the_program_that_makes_keys_nothing_is_left(checkout: Path):
    done = make(checkout, DRCTL=str(checkout / "absent"))
    assert (done.returncode, "make env" in done.stderr) == (7, True)
    assert not (checkout / "secrets").exists()
    assert not (checkout / "secrets.new").exists()


@pytest.mark.parametrize("path", [".env", "keys/ops.agekey", "secrets/dr_identity", "secrets.new/dr_identity"])
def test_git_and_the_image_leave_secrets_out(path: str):
    done = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, env=dict(os.environ), check=False)
    assert done.returncode == 0
    assert (ROOT / ".dockerignore").read_text().splitlines()[0] == "*"


def test_shellcheck_has_nothing_against_the_scripts():
    scripts = sorted((ROOT / "deploy").rglob("*.sh"))
    assert len(scripts) == 3
    command = [Path(sys.executable).with_name("shellcheck"), *scripts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_postgres_runs_its_script_and_does_not_take_it_into_its_own_shell():
    """Its image sources what is not executable, `set -u` and all."""
    assert os.access(ROOT / "deploy" / "postgres" / "catalog.sh", os.X_OK)


def test_the_catalog_cannot_look_into_airflows_database(made: Path, tmp_path: Path):
    """The script that PostgreSQL's image runs, against a real server."""
    with postgres(tmp_path / "postgres", "airflow") as address:
        url = sqlalchemy.make_url(f"{address}airflow")
        environ = {"PGHOST": str(url.host), "PGPORT": str(url.port), "PGPASSWORD": str(url.password)}
        environ |= {"POSTGRES_USER": "airflow", "POSTGRES_DB": "airflow", "PATH": os.environ["PATH"]}
        environ |= {"CATALOG_PASSWORD_FILE": str(made / "secrets" / "catalog_password")}
        done = subprocess.run(
            ["sh", made / "deploy" / "postgres" / "catalog.sh"],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        own = sqlalchemy.make_url(secret(made, "catalog_url")).set(host=url.host, port=url.port)
        with sqlalchemy.create_engine(own).begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE mine (a int)"))
        with pytest.raises(sqlalchemy.exc.OperationalError, match="permission denied"):
            sqlalchemy.create_engine(own.set(database="airflow")).connect()


def test_images_are_pinned_by_the_digest_that_lies_here(checkout: Path):
    shutil.copy(ROOT / "docker-compose.yaml", checkout)
    digest = "ab" * 32
    docker = checkout / "docker"
    docker.write_text(f'#!/bin/sh\nfor last; do :; done\necho "${{last%%:*}}@sha256:{digest}"\n')
    docker.chmod(0o755)
    pin = ["sh", str(checkout / "deploy" / "pin-images.sh")]
    done = subprocess.run(pin, env={**os.environ, "DOCKER": str(docker)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    import yaml

    found = yaml.safe_load((checkout / "deploy" / "compose.pinned.yaml").read_text())["services"]
    pulled = {name: service["image"] for name, service in services().items() if "build" not in service}
    assert found == {name: {"image": f"{image.partition(':')[0]}@sha256:{digest}"} for name, image in pulled.items()}
    docker.write_text("#!/bin/sh\nexit 1\n")
    (checkout / "deploy" / "compose.pinned.yaml").unlink()
    done = subprocess.run(pin, env={**os.environ, "DOCKER": str(docker)}, capture_output=True, text=True, check=False)
    assert (done.returncode, "docker compose pull" in done.stderr) == (5, True)
    assert not list((checkout / "deploy").glob("compose.pinned*"))

"""Every command, flag and setting of docker-compose.yaml exists in the programs that the locks install."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import httpx
import psutil
import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from dr_lib.demo import seaweed
from dr_lib.demo.model_server import arguments
from dr_lib.model.serving import HaproxySwitch, Site
from dr_lib.serving.switches.haproxy import Haproxy
from tests.stack.servers import free_port
from tests.toy_server import MODEL, ToyServer
from tests.unit.deploy.compose_file import ROOT, environment, running, services

BIN = Path(sys.executable).parent
IDENTITY = {
    "name": "dr",
    "credentials": [{"accessKey": "the-key", "secretKey": "the-secret"}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}
"""As deploy/make-secrets.sh writes it."""
KEY = {"aws_access_key_id": "the-key", "aws_secret_access_key": "the-secret"}
HEALTH = running("celery")["worker health"]
CREATE_AN_ADMINISTRATOR = "users create --role Admin --username admin --firstname A --lastname B --email a@example.org"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the installed Airflow says of all its command lines and options, set up as the scheduler is."""
    settings, secrets = environment("scheduler"), tmp_path_factory.mktemp("secrets")
    by_command = [name for name in settings if name.endswith("_CMD")]
    for name in by_command:
        settings[name] = settings[name].replace("/run/secrets", str(secrets))
        Path(settings[name].removeprefix("cat ")).write_text(secret_for(name))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    commands = running("airflow") | {"never": ["scheduler", "--no-such-flag"], "admin": CREATE_AN_ADMINISTRATOR.split()}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("airflow_facts.py"))],
        env=inherited | settings | {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow"))},
        input=json.dumps({"commands": commands, "app": HEALTH[1], "by_command": by_command}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


def secret_for(name: str) -> str:
    """What stands in for a secret of that kind: each option wants a shape of its own."""
    if "SQL_ALCHEMY" in name:
        return "sqlite:////tmp/nothing-of-it-is-read.db"
    return f"redis://of-{name}" if "CELERY" in name else f"of-{name}"


def test_airflow_takes_every_command_line(airflow: dict[str, Any]):
    told = dict(airflow["refused"])
    assert "--no-such-flag" in told.pop("never")
    assert {name.split()[0] for name in told} >= {"api-server", "scheduler", "dag-processor", "triggerer", "worker"}
    assert {name: said for name, said in told.items() if said} == {}


def test_every_setting_is_an_option_of_this_airflow(airflow: dict[str, Any]):
    named = {key for name in services() for key in environment(name) if key.startswith("AIRFLOW__")}
    dockerfile = (Path(__file__).resolve().parents[3] / "Dockerfile").read_text()
    named |= set(re.findall(r"AIRFLOW__\w+", dockerfile))
    assert named
    assert named - {*airflow["options"], *airflow["by_command"]} == set()


def test_airflow_takes_each_secret_from_its_file(airflow: dict[str, Any]):
    named = {name for name in environment("scheduler") if name.endswith("_CMD")}
    assert len(named) == 6
    assert airflow["read"] == {name: secret_for(name) for name in named}


def test_the_workers_together_serve_every_queue_that_the_dags_name(airflow: dict[str, Any]):
    from dr_airflow.conventions import JANITOR_QUEUE, READER_QUEUE, STANDBY_QUEUE

    served = [words[words.index("--queues") + 1] for name, words in running("airflow").items() if "--queues" in words]
    assert sorted(served) == sorted([airflow["queues"]["default"], JANITOR_QUEUE, READER_QUEUE, STANDBY_QUEUE])


def test_the_executor_can_be_loaded(airflow: dict[str, Any]):
    assert airflow["executors"] == [environment("scheduler")["AIRFLOW__CORE__EXECUTOR"]]


def test_celery_takes_the_health_check_of_a_worker(airflow: dict[str, Any]):
    assert running("celery")["standby health"] == running("celery")["reader health"] == HEALTH
    assert (HEALTH[0], airflow["queues"]["application"]) == ("--app", "celery.app.base")
    done = subprocess.run([BIN / "celery", "inspect", "--help"], capture_output=True, text=True, check=True)
    known = re.findall(r"--[a-z-]+", done.stdout)
    assert [word for word in HEALTH[2:] if word.startswith("--") and word not in known] == []


def test_weed_knows_every_flag_of_a_region():
    told = subprocess.run([seaweed.weed_binary(), "server", "-h"], capture_output=True, text=True, check=False)
    known = set(re.findall(r"^  (-[\w.]+)", told.stdout + told.stderr, re.MULTILINE))
    for name, (command, *flags) in running("weed").items():
        assert command == "server", name
        assert {flag.split("=")[0] for flag in flags} <= known


def test_a_region_offers_s3_to_others_and_the_rest_to_itself(tmp_path: Path):
    """The very command of the file, on other ports; `127.0.0.2` stands for the container's network."""
    ports = seaweed.free_ports()
    flags = [
        flag.replace("/data", str(tmp_path)).replace("0.0.0.0", "127.0.0.2") for flag in running("weed")["us-east"]
    ]
    named = {"s3": ports.s3, "master": ports.master, "volume": ports.volume, "filer": ports.filer}
    flags = [flag for flag in flags if not flag.startswith("-s3.port=")]
    flags += [f"-{name}.port={port}" for name, port in named.items()]
    (config,) = (flag.partition("=")[2] for flag in flags if flag.startswith("-s3.config="))
    assert config == "/run/secrets/s3.json"
    allowed = tmp_path / "s3.json"
    allowed.write_text(json.dumps({"identities": [IDENTITY]}))
    flags = [flag.replace(config, str(allowed)) for flag in flags]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([seaweed.weed_binary(), *flags], env={}, cwd=tmp_path, stdout=log, stderr=log)
    try:
        s3 = client(f"http://127.0.0.2:{ports.s3}", **KEY)
        for attempt in Retrying(
            retry=retry_if_exception_type((httpx.HTTPError, botocore.exceptions.ClientError)),
            stop=stop_after_delay(40),
            wait=wait_fixed(0.1),
            reraise=True,
        ):
            with attempt:
                assert httpx.get(f"http://127.0.0.2:{ports.s3}/healthz", trust_env=False).status_code == 200
                s3.create_bucket(Bucket="dr-test", ObjectLockEnabledForBucket=True)
        s3.put_object(Bucket="dr-test", Key="object", Body=b"x", IfNoneMatch="*")
        with pytest.raises(botocore.exceptions.ClientError, match="SignatureDoesNotMatch"):
            client(f"http://127.0.0.2:{ports.s3}", **KEY | {"aws_secret_access_key": "wrong"}).list_buckets()
        listening = psutil.Process(server.pid).net_connections()
        outside = {
            found.laddr.port for found in listening if found.status == "LISTEN" and found.laddr.ip == "127.0.0.2"
        }
        assert outside == {ports.s3, ports.s3 + seaweed.GRPC_OFFSET}
        assert {found.laddr.ip for found in listening if found.status == "LISTEN"} == {"127.0.0.1", "127.0.0.2"}
    finally:
        server.kill()  # it has nothing to keep, and its polite end takes long
        server.wait(30)


def client(endpoint: str, **keys: str) -> Any:
    """An S3 client that fails at once."""
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=once, **keys)


def test_haproxy_takes_its_configuration_and_sends_callers_to_the_primary(tmp_path: Path):
    """The very file, on other ports and before two servers of this machine."""
    text = (ROOT / "deploy" / "haproxy" / "haproxy.cfg").read_text()
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    assert program, "haproxy is missing: bash tools/system.sh haproxy"
    (tmp_path / MODEL).write_bytes(b"x")
    front, figures = free_port(), free_port()
    short = Path(tempfile.mkdtemp(prefix="dr-proxy-"))
    with ToyServer(tmp_path) as us, ToyServer(tmp_path) as eu:
        for shown, real in (
            ("model-primary:8000", f"127.0.0.1:{us.port}"), ("model-standby:8000", f"127.0.0.1:{eu.port}"),
            ("bind :8000", f"bind 127.0.0.1:{front}"), ("bind :8405", f"bind 127.0.0.1:{figures}"),
            ("/var/lib/haproxy/admin.sock", f"{short}/admin.sock"),
        ):  # fmt: skip
            assert shown in text
            text = text.replace(shown, real)
        (tmp_path / "haproxy.cfg").write_text(text)
        words = [word for word in running("haproxy")["haproxy"] if not word.startswith("/")]
        server = subprocess.Popen([program, *words, tmp_path / "haproxy.cfg"], cwd=tmp_path)
        try:
            for attempt in Retrying(stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True):
                with attempt:
                    assert httpx.get(f"http://127.0.0.1:{front}/healthz", trust_env=False).status_code == 200
            told = httpx.get(f"http://127.0.0.1:{figures}/metrics", trust_env=False)
            assert "haproxy_server_status" in told.text
            assert httpx.get(f"http://127.0.0.1:{figures}/anything", trust_env=False).status_code == 403
            switch = Haproxy(
                HaproxySwitch(f"unix:{short}/admin.sock", "models", {Site.PRIMARY: "us", Site.STANDBY: "eu"})
            )
            assert switch.traffic().word == "primary"
            switch.move(Site.STANDBY)
            assert switch.traffic().word == "standby"
        finally:
            server.terminate()
            server.wait(20)
            shutil.rmtree(short)


def test_prometheus_knows_every_flag():
    program = shutil.which("prometheus")
    assert program, "prometheus is missing: bash tools/system.sh prometheus"
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    words = list(services()["prometheus"]["command"])
    assert words
    known = set(re.findall(r"--[\w.-]+", told.stdout + told.stderr))
    assert {word.partition("=")[0] for word in words} <= known


@pytest.mark.parametrize("name", ["model-primary", "model-standby"])
def test_the_model_server_takes_its_arguments(name: str):
    module, *words = running("python")[name][1:]
    assert module == "dr_lib.demo.model_server"
    found = arguments(words)
    assert (found.host, found.port) == ("0.0.0.0", 8000)
    assert any(str(found.directory).startswith(text.split(":")[-2]) for text in services()[name]["volumes"])


def test_what_grafana_is_told_is_in_its_own_terms():
    """Grafana is not here to be asked: each name is one of its documented sections and options."""
    named = set(environment("grafana"))
    assert {name.split("_")[1] for name in named} <= {"SECURITY", "ANALYTICS", "USERS"}
    assert "GF_SECURITY_ADMIN_PASSWORD__FILE" in named


def test_every_setting_of_ours_is_read_by_the_program():
    named = {name for service in services() for name in environment(service) if name.startswith("DR_")}
    dockerfile = (ROOT / "Dockerfile").read_text()
    named |= set(re.findall(r"\bDR_[A-Z_]+", dockerfile))
    source = "".join(path.read_text() for folder in ("dr_lib", "plugins") for path in (ROOT / folder).rglob("*.py"))
    assert named
    assert [name for name in sorted(named) if f'"{name}"' not in source] == []

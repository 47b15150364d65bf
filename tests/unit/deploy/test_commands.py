"""Every command, flag and setting of docker-compose.yaml exists in the programs that the locks install."""

import json
import os
import re
import subprocess
import sys
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
from tests.unit.deploy.compose_file import environment, running, services

BIN = Path(sys.executable).parent
KEY = {"aws_access_key_id": "the-key", "aws_secret_access_key": "the-secret"}
HEALTH = running("celery")["worker health"]
CREATE_AN_ADMINISTRATOR = "users create --role Admin --username admin --firstname A --lastname B --email a@example.org"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the installed Airflow says of all its command lines and options, set up as the scheduler is."""
    settings = {name: value for name, value in environment("scheduler").items() if "$" not in value}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    asked = running("airflow") | {"never": ["scheduler", "--no-such-flag"], "admin": CREATE_AN_ADMINISTRATOR.split()}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("airflow_facts.py"))],
        env=inherited | settings | {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow"))},
        input=json.dumps({"commands": asked, "app": HEALTH[1]}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


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
    assert named - set(airflow["options"]) == set()


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
    keys = {"AWS_ACCESS_KEY_ID": KEY["aws_access_key_id"], "AWS_SECRET_ACCESS_KEY": KEY["aws_secret_access_key"]}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([seaweed.weed_binary(), *flags], env=keys, cwd=tmp_path, stdout=log, stderr=log)
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

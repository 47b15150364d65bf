"""What can be said of docker-compose.yaml without an engine: it hangs together, and it holds no secret."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from dr_lib import __version__
from tests.unit.deploy.compose_file import FILE, ROOT, VARIABLE, compose, environment, secrets_of, services, texts

REGIONS = ("us-east", "eu-west", "ap-south")
WORKERS = ("worker", "reader", "janitor", "standby")
CONTROL = ("api-server", "scheduler", "dag-processor", "triggerer", "db-migrate")
SERVING = ("haproxy", "model-primary", "model-standby")
MONITORING = ("prometheus", "grafana")
CONTROL_SECRETS = {"airflow_database", "airflow_fernet_key", "airflow_secret_key", "airflow_jwt_secret"}
QUEUE_SECRETS = {"celery_broker", "celery_results"}
AT_WORK = {*QUEUE_SECRETS, "catalog_url", "region_credentials"}
WHO_HOLDS: dict[str, set[str]] = {
    "us-east": {"us_east_s3"},
    "eu-west": {"eu_west_s3"},
    "ap-south": {"ap_south_s3"},
    "postgres": {"postgres_password", "catalog_password"},
    "redis": {"redis_password"},
    "db-migrate": CONTROL_SECRETS,
    "api-server": {*CONTROL_SECRETS, "catalog_url", "dr_metrics_token"},
    "scheduler": CONTROL_SECRETS | QUEUE_SECRETS,
    "dag-processor": {*CONTROL_SECRETS, "catalog_url"},
    "triggerer": {*CONTROL_SECRETS, "catalog_url"},
    "worker": AT_WORK | {"dr_writer_key", "dr_signing_key"},
    "reader": AT_WORK | {"dr_identity", "dr_signing_key"},
    "janitor": AT_WORK | {"dr_signing_key"},
    "standby": AT_WORK | {"dr_identity", "dr_signing_key"},
    "haproxy": set(),
    "model-primary": set(),
    "model-standby": set(),
    "prometheus": {"dr_metrics_token"},
    "grafana": {"grafana_password"},
}
"""Each secret for those alone that need it: who backs up can read nothing, who serves or asks can do neither."""
STARTS_AS_ROOT = {"postgres": "postgres", "redis": "redis"}
"""Images that start as root, and whom their service is run as instead; all others name a user of their own."""
PUBLISHED = {"api-server", "haproxy", "prometheus", "grafana"}
# What a service here may say; a key that Compose does not know is refused by it, and by this test.
KNOWN = {
    "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "hostname", "image", "init", "networks",
    "ports", "read_only", "restart", "secrets", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip
every_service = pytest.mark.parametrize("name", services())


def test_every_component_is_there():
    assert set(services()) == {*REGIONS, *WORKERS, *CONTROL, *SERVING, *MONITORING, "postgres", "redis"}


def test_the_compose_specification_takes_it():
    check = Path(sys.executable).with_name("check-jsonschema")
    files = [FILE, ROOT / "deploy" / "compose.gpu.yaml"]
    command = [check, "--builtin-schema", "vendor.compose-spec", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(compose()) - {"name", "services", "networks", "volumes", "secrets"} <= {
        key for key in compose() if key.startswith("x-")
    }


def test_compose_itself_accepts_it_where_it_is_installed():
    """Where it is not, the other tests of this file are what is checked."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        command = [docker, "compose", "--env-file", str(ROOT / ".env.example"), "--file", str(FILE)]
        done = subprocess.run([*command, "config", "-q"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_a_gpu_is_for_services_that_there_are():
    gpu = yaml.safe_load((ROOT / "deploy" / "compose.gpu.yaml").read_text())["services"]
    assert set(gpu) == {"standby", "model-standby"}
    assert set(gpu) <= set(services())


@every_service
def test_a_service_says_nothing_that_compose_does_not_know(name: str):
    assert set(services()[name]) <= KNOWN


@every_service
def test_an_image_is_pinned_by_its_whole_version(name: str):
    image = services()[name]["image"]
    assert re.fullmatch(r"([a-z]+/)?[a-z-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", image)
    assert image.startswith("disaster-recovery-") == ("build" in services()[name])
    assert "build" not in services()[name] or image.endswith(f":{__version__}")


@every_service
def test_what_runs_on_is_watched_and_comes_back(name: str):
    service = services()[name]
    assert ("healthcheck" in service) == (name != "db-migrate")
    assert service["restart"] == ("no" if name == "db-migrate" else "unless-stopped")


@every_service
def test_a_service_has_no_privilege(name: str):
    service = services()[name]
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert service.get("user") == STARTS_AS_ROOT.get(name)
    assert ("read_only" in service) == (name not in {*CONTROL, *WORKERS})


def test_what_a_service_waits_for_exists_and_can_tell():
    for service in services().values():
        for target, how in service.get("depends_on", {}).items():
            waited = services()[target]
            healthy = how["condition"] == "service_healthy"
            assert "healthcheck" in waited if healthy else waited["restart"] == "no"


def test_volumes_and_networks_are_declared_and_used():
    used_volumes = {mount(text)[0] for service in services().values() for text in service.get("volumes", [])}
    used_networks = {network for service in services().values() for network in service["networks"]}
    assert {volume for volume in used_volumes if not volume.startswith(("$", "."))} == set(compose()["volumes"])
    assert used_networks == set(compose()["networks"])


def mount(text: str) -> tuple[str, str, str]:
    """Source, target and mode of a mount; the source may be a variable with a colon in it."""
    source, _, rest = re.sub(VARIABLE, lambda found: found[0].replace(":", "\0"), text).partition(":")
    target, _, mode = rest.partition(":")
    return source.replace("\0", ":"), target, mode


def test_no_two_services_publish_one_port_and_none_beyond_this_machine():
    published = [port for service in services().values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert max(Counter(port.rsplit(":", 1)[0] for port in published).values()) == 1
    assert {name for name, service in services().items() if "ports" in service} == PUBLISHED
    reachable = [name for name, facts in compose()["networks"].items() if not (facts or {}).get("internal")]
    assert all(set(services()[name]["networks"]) & set(reachable) for name in PUBLISHED)


def named_variables() -> set[str]:
    """Every variable of .env that the file asks for."""
    return {found["name"] for text in texts(compose()) for found in VARIABLE.finditer(text)}


def test_each_secret_is_a_file_and_held_by_those_alone_that_need_it():
    assert {name: secrets_of(name) for name in services()} == WHO_HOLDS
    assert set(compose()["secrets"]) == set().union(*WHO_HOLDS.values())
    assert all(facts == {"file": f"./secrets/{name}"} for name, facts in compose()["secrets"].items())


def test_no_secret_is_in_the_environment_or_in_an_argument():
    for service in services():
        for name, value in environment(service).items():
            if re.search(
                r"PASSWORD|SECRET|FERNET|ACCESS_KEY|TOKEN|_KEY|IDENTITY|CONN|BROKER|BACKEND|CREDENTIALS", name
            ):
                assert value.removeprefix("cat ").startswith("/run/secrets/"), f"{service}: {name}"
                assert value.rpartition("/")[2] in secrets_of(service) | {"s3.json"}, f"{service}: {name}"
            assert not re.search(r"://[^/@]*:[^/@]+@", value), f"{service}: {name}"
    for service in services().values():
        assert not any(VARIABLE.search(text) for text in texts(service.get("command", [])))


def test_what_a_service_reads_below_run_secrets_is_given_to_it():
    for name, service in services().items():
        told = [service.get("command", []), service.get("environment", {}), service.get("healthcheck", {})]
        named = {found for text in texts(told) for found in re.findall(r"/run/secrets/([\w.]+)", text)}
        targets = {one if isinstance(one, str) else one["target"] for one in service.get("secrets", [])}
        assert named <= targets, name


def test_the_example_names_what_the_file_asks_for_and_holds_no_secret():
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    assert {line.partition("=")[0] for line in lines} == named_variables()
    assert all(line.partition("=")[2] for line in lines)
    assert not [line for line in lines if re.search(r"PASSWORD|SECRET|KEY|TOKEN", line)]


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_shares_nothing_with_another(name: str):
    region, others = services()[name], [services()[other] for other in REGIONS if other != name]
    assert region["networks"] == [name]
    assert compose()["networks"][name] == {"internal": True}
    assert [mount(text)[:2] for text in region["volumes"]] == [(name, "/data")]
    assert "environment" not in region
    assert not any(set(region["networks"]) & set(other["networks"]) for other in others)


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_reaches_every_region_and_the_catalog(name: str):
    assert {*REGIONS, "catalog"} <= set(services()[name]["networks"])


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_knows_nothing_of_airflows_database(name: str):
    assert not [key for key in environment(name) if "SQL_ALCHEMY" in key or "FERNET" in key or "JWT" in key]
    assert "metadata" not in services()[name]["networks"]


def test_who_serves_reaches_no_vault_no_database_and_no_queue():
    own = {"serving", "monitoring", "edge"}
    for name in SERVING:
        assert set(services()[name]["networks"]) <= own
    for name in MONITORING:
        assert set(services()[name]["networks"]) == {"monitoring", "edge"}
    assert compose()["networks"]["serving"] == {"internal": True}


def test_the_standby_alone_can_move_traffic():
    holders = {
        name
        for name, service in services().items()
        for text in service.get("volumes", [])
        if text.startswith("switch:")
    }
    assert holders == {"haproxy", "standby"}
    # An empty volume takes over the owner of the directory that it covers; only HAProxy's user may be that.
    assert "switch:/run/haproxy:ro,nocopy" in services()["standby"]["volumes"]
    assert "stats socket /var/lib/haproxy/admin.sock" in (ROOT / "deploy" / "haproxy" / "haproxy.cfg").read_text()
    assert "switch:/var/lib/haproxy" in services()["haproxy"]["volumes"]


def test_what_the_standby_restores_its_model_server_sees_and_cannot_change():
    assert "serving:/var/lib/dr/serving" in services()["standby"]["volumes"]
    assert services()["model-standby"]["volumes"] == ["serving:/var/lib/dr/serving:ro"]


def test_who_can_read_a_vault_sees_no_source_and_has_room_of_its_own():
    targets = {name: {mount(text)[1] for text in services()[name]["volumes"]} for name in WORKERS}
    assert [name for name in WORKERS if "/sources" in targets[name]] == ["worker"]
    assert [name for name in WORKERS if "/restored" in targets[name]] == ["reader"]
    assert environment("standby")["DR_STANDBY_DIR"] in targets["standby"]


def test_everyone_who_reads_the_configuration_has_it():
    for name in ("api-server", "dag-processor", "triggerer", *WORKERS):
        mounts = {mount(text)[1]: mount(text) for text in services()[name]["volumes"]}
        source, _, mode = mounts[environment(name)["DR_CONFIG"]]
        assert ("deploy/dr.yaml" in source, mode) == (True, "ro")


def test_services_meet_on_a_network_those_they_name():
    named: dict[str, Any] = {
        "postgres": (*CONTROL, *WORKERS),
        "redis": ("scheduler", *WORKERS),
        "api-server": (*WORKERS, "prometheus"),
        "haproxy": ("standby", "prometheus"),
        "model-primary": ("haproxy", "standby"),
        "model-standby": ("haproxy", "standby"),
        "prometheus": ("grafana",),
    }
    for target, users in named.items():
        for user in users:
            assert set(services()[user]["networks"]) & set(services()[target]["networks"]), (user, target)

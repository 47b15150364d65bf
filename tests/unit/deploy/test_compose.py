"""What can be said of docker-compose.yaml without an engine: it hangs together, and it holds no secret."""

import re
import shutil
import subprocess
from collections import Counter
from typing import Any

import pytest

from dr_lib import __version__
from tests.unit.deploy.compose_file import FILE, ROOT, VARIABLE, compose, environment, services, texts

REGIONS = ("us-east", "eu-west", "ap-south")
WORKERS = ("worker", "reader", "janitor", "standby")
CONTROL = ("api-server", "scheduler", "dag-processor", "triggerer", "db-migrate")
# What a service here may say; a key that Compose does not know is refused by it, and by this test.
KNOWN = {
    "build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "hostname", "image", "init", "networks",
    "ports", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip
every_service = pytest.mark.parametrize("name", services())


def test_every_component_is_there():
    assert set(services()) == {*REGIONS, *WORKERS, *CONTROL, "postgres", "redis"}


def test_compose_itself_accepts_it_where_it_is_installed():
    """Where it is not, the other tests of this file are what is checked."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        command = [docker, "compose", "--env-file", str(ROOT / "deploy" / "env.example"), "--file", str(FILE)]
        variables = {name: "x" for name in named_variables() if name not in {"AIRFLOW_PORT", "DR_CONFIG_FILE"}}
        done = subprocess.run([*command, "config", "-q"], env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert set(compose()) - {"name", "services", "networks", "volumes"} <= {k for k in compose() if k.startswith("x-")}


@every_service
def test_a_service_says_nothing_that_compose_does_not_know(name: str):
    assert set(services()[name]) <= KNOWN


@every_service
def test_an_image_is_pinned_by_its_whole_version(name: str):
    image = services()[name]["image"]
    assert re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", image)
    assert image.startswith("disaster-recovery-") == ("build" in services()[name])
    assert "build" not in services()[name] or image.endswith(f":{__version__}")


@every_service
def test_what_runs_on_is_watched_and_comes_back(name: str):
    service = services()[name]
    assert ("healthcheck" in service) == (name != "db-migrate")
    assert service["restart"] == ("no" if name == "db-migrate" else "unless-stopped")


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
    assert [name for name, service in services().items() if "ports" in service] == ["api-server"]


def named_variables() -> set[str]:
    """Every variable of .env that the file asks for."""
    return {found["name"] for text in texts(compose()) for found in VARIABLE.finditer(text)}


def test_no_secret_stands_in_the_file():
    for service in services():
        for name, value in environment(service).items():
            bare = VARIABLE.sub("", value)
            if re.search(r"PASSWORD|SECRET|FERNET|ACCESS_KEY|TOKEN|_KEY$|IDENTITY", name):
                assert bare == "", f"{service}: {name}"
            assert not re.search(r"://[^/@]*:[^/@]+@", bare), f"{service}: {name}"


def test_secrets_have_no_default_and_no_way_into_an_argument():
    for found in (found for text in texts(compose()) for found in VARIABLE.finditer(text)):
        assert (found["rule"] or "").startswith(":?") or found["name"] in {"AIRFLOW_PORT", "DR_CONFIG_FILE"}
    for service in services().values():
        assert not any(VARIABLE.search(text) for text in texts(service.get("command", [])))


@pytest.mark.parametrize("name", REGIONS)
def test_a_region_shares_nothing_with_another(name: str):
    region, others = services()[name], [services()[other] for other in REGIONS if other != name]
    assert region["networks"] == [name]
    assert compose()["networks"][name] == {"internal": True}
    assert [mount(text)[:2] for text in region["volumes"]] == [(name, "/data")]
    assert not set(texts(region["environment"])) & set(texts([other["environment"] for other in others]))
    assert not any(set(region["networks"]) & set(other["networks"]) for other in others)


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_reaches_every_region_with_its_keys(name: str):
    assert set(REGIONS) <= set(services()[name]["networks"])
    for region in REGIONS:
        prefix = f"DR_{region.upper().replace('-', '_')}"
        for given, wanted in (("ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"), ("SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY")):
            assert environment(name)[f"{prefix}_{given}"] == environment(region)[wanted]


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_knows_nothing_of_airflows_database(name: str):
    assert not [key for key in environment(name) if "SQL_ALCHEMY" in key or "FERNET" in key or "JWT" in key]
    assert "metadata" not in services()[name]["networks"]


def test_only_workers_hold_the_keys_of_regions():
    holders = {name for name in services() if any(key.startswith("DR_US_EAST") for key in environment(name))}
    assert holders == set(WORKERS)


def test_each_role_holds_the_keys_of_the_vaults_that_it_needs_and_no_other():
    keys = {"DR_WRITER_KEY", "DR_SIGNING_KEY", "DR_IDENTITY"}
    held = {name: keys & set(environment(name)) for name in services()}
    assert {name: found for name, found in held.items() if found} == {
        "worker": {"DR_WRITER_KEY", "DR_SIGNING_KEY"},
        "reader": {"DR_IDENTITY", "DR_SIGNING_KEY"},
        "janitor": {"DR_SIGNING_KEY"},
        "standby": {"DR_IDENTITY", "DR_SIGNING_KEY"},
    }


def test_who_can_read_a_vault_sees_no_source_and_has_room_of_its_own():
    targets = {name: {mount(text)[1] for text in services()[name]["volumes"]} for name in WORKERS}
    assert [name for name in WORKERS if "/sources" in targets[name]] == ["worker"]
    assert [name for name in WORKERS if "/restored" in targets[name]] == ["reader"]
    assert environment("standby")["DR_STANDBY_DIR"] in targets["standby"]


def test_everyone_who_reads_the_configuration_has_it():
    for name in ("dag-processor", *WORKERS):
        mounts = {mount(text)[1]: mount(text) for text in services()[name]["volumes"]}
        source, _, mode = mounts[environment(name)["DR_CONFIG"]]
        assert ("deploy/dr.yaml" in source, mode) == (True, "ro")


def test_services_meet_on_a_network_those_they_name():
    named: dict[str, Any] = {"postgres": CONTROL, "redis": ("scheduler", *WORKERS), "api-server": WORKERS}
    for target, users in named.items():
        for user in users:
            assert set(services()[user]["networks"]) & set(services()[target]["networks"]), (user, target)

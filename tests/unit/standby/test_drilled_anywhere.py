"""The same drill in a process, a container and a pod: from a real S3 region, with its credentials over stdin alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.runtime import Runtime
from tests.conftest import PREFIX, environment_of, fresh_name
from tests.unit.standby.stand_in_cluster import StandInCluster
from tests.unit.standby.stand_ins import CONTEXT, Docker

IMAGE = f"registry.example/dr@sha256:{'0a' * 32}"
STANDBYS = {
    "site": {"kind": "process"},
    "box": {"kind": "container", "image": IMAGE, "network": "host"},
    "pod": {"kind": "kubernetes", "image": IMAGE, "namespace": "dr", "context": CONTEXT},
}
Drilled = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def two_buckets(seaweed: SeaweedRegion, live_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration over two regions of one server, with one verified point."""
    folder = tmp_path_factory.mktemp("anywhere")
    place = {"endpoint": seaweed.endpoint, "credentials": f"env:{PREFIX}"}
    config = {
        "encryption": "none",
        "regions": {name: {"url": f"s3://{fresh_name()}", **place} for name in ("one", "two")},
        "assets": {"tables": {"kind": "dataset", "source": str(live_dataset), "regions": ["one", "two"]}},
        "standbys": STANDBYS,
    }
    path = folder / "dr.yaml"
    path.write_text(json.dumps(config))
    runtime = Runtime.load(path, environ=environment_of(seaweed))
    runtime.initialize()
    runtime.backup("tables")
    runtime.verify("tables")
    return path


@pytest.fixture
def drilled(two_buckets: Path, seaweed: SeaweedRegion, tmp_path: Path) -> Drilled:
    """Drills in the standby of that name; nothing of it may be left on this machine."""

    def drill(standby: str) -> dict[str, Any]:
        config = json.loads(two_buckets.read_text())
        config["assets"]["tables"]["drill"] = {"standby": standby}
        path = tmp_path / "dr.yaml"
        path.write_text(json.dumps(config))
        standbys = tmp_path / "standbys"
        runtime = Runtime.load(path, environ=environment_of(seaweed) | {"DR_STANDBY_DIR": str(standbys)})
        document = runtime.drill("tables", region="one")
        assert not standbys.exists() or list(standbys.iterdir()) == []
        return document

    return drill


def holds(document: dict[str, Any]) -> None:
    assert document["verdict"] == "proven", document["reasons"]
    found = {one["name"]: one for one in document["isolation"]}
    assert found["the source cannot be read"]["held"] is True
    assert found["the environment holds the survivors' credentials alone"]["held"] is True
    assert [name for name, one in found.items() if one["held"] is not True] == ["region one cannot be connected to"]
    assert any("Landlock tells ports apart, not hosts" in gap for gap in document["unproven"])


def test_in_a_process(drilled: Drilled) -> None:
    holds(drilled("site"))


def test_in_containers(drilled: Drilled, docker: Docker, seaweed: SeaweedRegion) -> None:
    holds(drilled("box"))
    assert docker.left() == []
    assert seaweed.secret_key not in str(docker.told())


def test_in_a_pod(
    drilled: Drilled, cluster: StandInCluster, seaweed: SeaweedRegion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "volume").mkdir()
    monkeypatch.setattr("dr_lib.standby.pod.VOLUME", tmp_path / "volume")
    holds(drilled("pod"))
    assert cluster.pods == {}
    assert seaweed.secret_key not in json.dumps([cluster.created, cluster.commands])

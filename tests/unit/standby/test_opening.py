"""What dead drills left in standbys of any kind is removed together, and what could not be looked at is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dr_lib.model.standby import LOCAL, StandbyKind, StandbyPolicy
from dr_lib.standby.container import ContainerRunner
from dr_lib.standby.opening import open_standby, sweep_standbys
from dr_lib.standby.process import ProcessRunner
from tests.unit.standby.stand_in_cluster import StandInCluster
from tests.unit.standby.stand_ins import CONTEXT, Docker

IMAGE = f"dr@sha256:{'0a' * 32}"
BOX = StandbyPolicy("box", StandbyKind.CONTAINER, image=IMAGE)
POD = StandbyPolicy("pod", StandbyKind.KUBERNETES, image=IMAGE, namespace="dr", context=CONTEXT)


@pytest.fixture
def dead(tmp_path: Path) -> str:
    """The owner that a drill was which has ended, and left its directory."""
    code = (
        "from pathlib import Path; from dr_lib.standby.ownership import Owner, create_owned;"
        f"create_owned(Path({str(tmp_path / 'standbys' / 'left')!r})); print(Owner.ours().text())"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_kind_decides_the_runner(tmp_path: Path) -> None:
    assert isinstance(open_standby(LOCAL, tmp_path, "one").runner, ProcessRunner)
    assert isinstance(open_standby(BOX, tmp_path, "one").runner, ContainerRunner)


def test_all_kinds_are_swept(dead: str, tmp_path: Path, docker: Docker, cluster: StandInCluster) -> None:
    labels = ["dr.standby.drill=left", f"dr.standby.owner={dead}"]
    (docker.folder / "containers" / "left").write_text(json.dumps({"pid": 1 << 22, "labels": labels}))
    metadata = {"labels": {"app.kubernetes.io/managed-by": "dr-standby"}, "annotations": {"dr.standby/owner": dead}}
    cluster.pods["left"] = {"metadata": {"name": "left", **metadata}, "spec": {"containers": [{"name": "x"}]}}
    assert sweep_standbys([LOCAL, BOX, POD], tmp_path / "standbys") == []
    assert list((tmp_path / "standbys").iterdir()) == []
    assert docker.left() == []
    assert cluster.pods == {}


def test_an_engine_that_does_not_answer_is_told_and_the_rest_is_swept(
    dead: str, tmp_path: Path, docker: Docker
) -> None:
    (docker.folder / "broken").touch()
    (problem,) = sweep_standbys([BOX, LOCAL], tmp_path / "standbys")
    assert problem.startswith("standby box: the container engine failed: Cannot connect to the Docker daemon")
    assert list((tmp_path / "standbys").iterdir()) == []


def test_where_nothing_can_be_made_nothing_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    assert sweep_standbys([BOX, POD], tmp_path / "standbys") == []

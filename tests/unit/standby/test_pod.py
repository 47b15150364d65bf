"""A standby in a Kubernetes pod, on a small API server of ours that really runs the commands: there is no cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dr_lib.clock import monotonic
from dr_lib.errors import DrError, PermissionDenied, Refused, StoreUnavailable, UsageError
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.standby import StandbyKind, StandbyPolicy
from dr_lib.standby.base import Standby
from dr_lib.standby.orders import Order, Reach
from dr_lib.standby.ownership import Owner
from dr_lib.standby.pod_spec import MANAGED, MANAGER, OWNER, pod_manifest

pytest.importorskip("kubernetes", reason="the extra `kubernetes` is not installed")

from dr_lib.standby.pod import PodRunner
from tests.unit.standby.stand_in_cluster import StandInCluster

IMAGE = f"registry.example/dr@sha256:{'0a' * 32}"
POLICY = StandbyPolicy("pod", StandbyKind.KUBERNETES, image=IMAGE, namespace="dr", context="here")
DRILL = "20261126T120000000000Z-0a1b2c3d"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What the pod's volume would be."""
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def test_the_pod_is_one_that_the_api_knows_in_every_field():
    from kubernetes import client

    bounded = replace(POLICY, gpus=2, memory_bytes=8 << 30, cpus=1.5, room_bytes=10**9)
    for policy in (POLICY, bounded):
        manifest = pod_manifest(policy, DRILL, "host/1/2", Path("/standby"))
        assert client.ApiClient().sanitize_for_serialization(client.V1Pod.from_dict(manifest)) == manifest


def test_the_pod_is_shut_in_and_bounded():
    bounded = replace(POLICY, gpus=2, memory_bytes=8 << 30, cpus=1.5, room_bytes=10**9)
    manifest = pod_manifest(bounded, DRILL, "host/1/2", Path("/standby"))
    spec, (container,) = manifest["spec"], manifest["spec"]["containers"]
    assert manifest["metadata"]["name"] == f"dr-standby-{DRILL.lower()}"
    assert manifest["metadata"]["labels"][MANAGED] == MANAGER
    assert (spec["automountServiceAccountToken"], spec["restartPolicy"]) == (False, "Never")
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["image"] == IMAGE
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "2", "memory": str(8 << 30), "cpu": "1.5"}
    assert spec["volumes"] == [{"name": "standby", "emptyDir": {"sizeLimit": "1000000000"}}]
    assert "env" not in container


def test_commands_run_in_the_pod_and_nothing_stays(
    cluster: StandInCluster, root: Path, asset_of: Callable[..., Asset]
) -> None:
    with Standby(PodRunner(POLICY, DRILL, root), room_bytes=5) as standby:
        assert list(cluster.pods) == [f"dr-standby-{DRILL.lower()}"]
        assert abs(standby.runner.monotonic_ahead_s) < 60  # it is the same machine here; elsewhere it may be years
        assert standby.environment()["disk_free_bytes"] == "5"
        secret = {"DR_STANDBY_SECRET_ACCESS_KEY": "hush"}
        text = json.dumps(
            {"regions": {"a": {"url": "s3://b", "endpoint": "http://127.0.0.1:1", "credentials": "env:DR"}}}
        )
        assert [one for one in standby.isolation([], text, secret) if one.held is False] == []
        failed = standby.smoke(asset_of(AssetKind.DATASET))
        assert not failed.passed
    assert cluster.pods == {}
    assert "hush" not in json.dumps([cluster.created, cluster.commands])


def test_an_answer_of_many_frames_arrives_whole(cluster: StandInCluster, root: Path) -> None:
    runner = PodRunner(POLICY, DRILL, root)
    with Standby(runner):
        text = json.dumps({"x": "é" * 300_000}, ensure_ascii=False)
        finished = runner.run(Order("json.tool", ("--no-ensure-ascii", "--compact"), stdin=text.encode()), 60)
    assert (finished.returncode, json.loads(finished.stdout)) == (0, json.loads(text))


def test_an_exit_code_and_a_signal_arrive(cluster: StandInCluster, root: Path) -> None:
    runner = PodRunner(POLICY, DRILL, root)
    with Standby(runner):
        assert runner.run(Order("json.tool", stdin=b"{"), 60).returncode == 1
        kill = "import os; os.kill(os.getpid(), 9)"
        assert runner.run(Order("timeit", ("-n1", "-r1", "-s", kill, "pass")), 60).returncode == -9


def test_a_command_that_takes_too_long_ends_by_itself(cluster: StandInCluster, root: Path) -> None:
    runner = PodRunner(POLICY, DRILL, root)
    with Standby(runner):
        begun = monotonic()
        with pytest.raises(subprocess.TimeoutExpired):
            runner.run(Order("timeit", ("-n1", "-r1", "-s", "import threading; threading.Event().wait()")), 0.5)
        assert monotonic() - begun < 60
        order = Order("timeit", ("-n1", "-r1", "-s", "import threading; threading.Event().wait()"), limit_s=1)
        alone = replace(order, root=str(root)).frame()
        assert (
            runner._cluster.execute(
                runner._name, ["python", "-I", "-m", "dr_lib.standby.confine"], alone, 60
            ).returncode
            == -14
        )


def test_a_killed_drill_s_pod_is_deleted_by_the_next_and_others_are_not(cluster: StandInCluster, root: Path) -> None:
    child = subprocess.run([sys.executable, "-c", _PRINT_OWNER], capture_output=True, text=True, check=True)
    dead, living = child.stdout.strip(), Owner.ours().text()
    for name, owner in (("dead", dead), ("living", living), ("far", "elsewhere/1/2"), ("odd", "what?")):
        metadata = {"name": name, "labels": {MANAGED: MANAGER}, "annotations": {OWNER: owner}}
        cluster.pods[name] = {"metadata": metadata, "spec": {"containers": [{"name": "x"}]}}
    cluster.pods["other"] = {"metadata": {"name": "other", "labels": {}}, "spec": {"containers": [{"name": "x"}]}}
    with Standby(PodRunner(POLICY, DRILL, root)):
        assert set(cluster.pods) == {"living", "far", "odd", "other", f"dr-standby-{DRILL.lower()}"}


_PRINT_OWNER = "from dr_lib.standby.ownership import Owner; print(Owner.ours().text())"


def test_a_pod_that_cannot_start_is_said_and_deleted(cluster: StandInCluster, root: Path) -> None:
    cluster.stuck = "ImagePullBackOff"
    with pytest.raises(Refused, match="the pod cannot start: ImagePullBackOff"):
        PodRunner(POLICY, DRILL, root).prepare()
    assert cluster.pods == {}


def test_what_the_cluster_does_not_permit_is_said(cluster: StandInCluster, root: Path) -> None:
    cluster.refuses = {"create": 403}
    with pytest.raises(PermissionDenied, match="the pod cannot be created"):
        PodRunner(POLICY, DRILL, root).prepare()


def test_a_broken_connection_is_no_answer(cluster: StandInCluster, root: Path) -> None:
    runner = PodRunner(POLICY, DRILL, root)
    with Standby(runner):
        cluster.breaks_exec = True
        with pytest.raises(StoreUnavailable, match="the connection to the pod broke"):
            runner.run(Order("json.tool", stdin=b"{}"), 60)


def test_a_region_on_a_disk_is_refused(cluster: StandInCluster, root: Path) -> None:
    runner = PodRunner(POLICY, DRILL, root)
    with Standby(runner), pytest.raises(UsageError, match="a pod cannot read a region of this machine's disk"):
        runner.run(Order("json.tool", reach=Reach(("/mnt/nas",), ())), 60)


def test_a_context_that_there_is_not_is_said(cluster: StandInCluster, root: Path) -> None:
    with pytest.raises(UsageError, match="no cluster is configured for 'nowhere'"):
        PodRunner(replace(POLICY, context="nowhere"), DRILL, root)


def test_a_pod_without_a_python_that_works_is_said(cluster: StandInCluster, root: Path) -> None:
    with pytest.raises(DrError, match="the pod runs no Python that works"):
        PodRunner(replace(POLICY, python="/bin/true"), DRILL, root).prepare()
    assert cluster.pods == {}

"""A standby in containers, on a stand-in for docker that really runs the commands: no engine runs here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from dr_lib.errors import DrError, Refused, UsageError
from dr_lib.model.standby import Forbidden, StandbyKind, StandbyPolicy
from dr_lib.standby.base import Standby
from dr_lib.standby.container import ContainerRunner
from dr_lib.standby.orders import Order, Reach
from tests.unit.standby.stand_ins import Docker

IMAGE = f"registry.example/dr@sha256:{'0a' * 32}"
POLICY = StandbyPolicy("box", StandbyKind.CONTAINER, image=IMAGE)


def test_a_point_comes_back_in_a_container_from_a_region_on_a_disk(
    docker: Docker, vault_config: tuple[str, str], tmp_path: Path
) -> None:
    config, point = vault_config
    secret = {"DR_STANDBY_SECRET_ACCESS_KEY": "hush"}
    (tmp_path / "source").mkdir()
    with Standby(ContainerRunner(POLICY, tmp_path / "standbys" / "one")) as standby:
        assert standby.environment()["torch"] != "none"
        found = standby.isolation([Forbidden("the source", path=str(tmp_path / "source"))], config, secret)
        assert {one.name: one.detail for one in found if one.held is not True} == {}
        assert standby.restore(config, "tables", point, "here", secret)["point"] == point
        assert docker.left() == []
    assert list((tmp_path / "standbys").iterdir()) == []
    assert "hush" not in str(docker.told())


def test_a_container_is_shut_in_and_bounded(docker: Docker, tmp_path: Path) -> None:
    bounded = replace(POLICY, network="dr-west", gpus=2, memory_bytes=8 << 30, cpus=1.5)
    runner = ContainerRunner(bounded, tmp_path / "one")
    with Standby(runner):
        runner.run(Order("this", reach=Reach((str(tmp_path),), (8333,))), 60)
    (argv,) = docker.told()
    text = " ".join(argv)
    for shut in ("--rm", "--read-only", "--cap-drop ALL", "--security-opt no-new-privileges", "--network dr-west"):
        assert shut in text
    assert "--gpus 2 --memory 8589934592 --cpus 1.5" in text
    assert f"--mount type=bind,source={tmp_path},target={tmp_path},readonly" in text
    assert text.endswith(f"--entrypoint python {IMAGE} -I -m dr_lib.standby.confine")
    assert "--env" not in text


def test_without_a_network_a_region_behind_one_is_refused(docker: Docker, tmp_path: Path) -> None:
    runner = ContainerRunner(POLICY, tmp_path / "one")
    with Standby(runner), pytest.raises(UsageError, match=r"standbys\.box\.network"):
        runner.run(Order("this", reach=Reach((), (8333,))), 60)
    assert not (docker.folder / "log").exists()


def test_a_command_that_takes_too_long_runs_no_more(docker: Docker, tmp_path: Path) -> None:
    runner = ContainerRunner(POLICY, tmp_path / "one")
    with Standby(runner):
        os.mkfifo(runner.root / "pipe")
        with pytest.raises(subprocess.TimeoutExpired):
            runner.run(Order("json.tool", (str(runner.root / "pipe"),)), 1)
        assert docker.left() == []


def test_what_a_killed_drill_left_is_removed_by_the_next(docker: Docker, tmp_path: Path) -> None:
    drill = (
        "import os\nfrom pathlib import Path\nfrom dr_lib.model.standby import StandbyPolicy\n"
        "from dr_lib.standby.container import ContainerRunner\nfrom dr_lib.standby.orders import Order\n"
        f"runner = ContainerRunner(StandbyPolicy('box', image={IMAGE!r}), Path({str(tmp_path / 's' / 'one')!r}))\n"
        "runner.prepare()\npipe = str(runner.root / 'pipe')\nos.mkfifo(pipe)\nprint('made', flush=True)\n"
        "runner.run(Order('json.tool', (pipe,)), None)\n"
    )
    with subprocess.Popen([sys.executable, "-c", drill], stdout=subprocess.PIPE) as drilling:
        assert drilling.stdout is not None
        assert drilling.stdout.readline() == b"made\n"
        with (tmp_path / "s" / "one" / "pipe").open("wb"):  # opens when the command does, which then waits for our end
            (left,) = docker.left()
            command = psutil.Process(json.loads((docker.folder / "containers" / left).read_text())["pid"])
            drilling.kill()
            drilling.wait()
            assert command.is_running()
            with Standby(ContainerRunner(POLICY, tmp_path / "s" / "two")):
                gone, _ = psutil.wait_procs([command], timeout=60)
    assert gone == [command]
    assert docker.left() == []
    assert list((tmp_path / "s").iterdir()) == []


def test_a_living_drill_s_container_is_left_alone(docker: Docker, tmp_path: Path) -> None:
    first = ContainerRunner(POLICY, tmp_path / "one")
    with Standby(first):
        record = {"pid": os.getpid(), "labels": [f"dr.standby.drill={first.root.name}", _owner_label()]}
        (docker.folder / "containers" / "busy").write_text(json.dumps(record))
        with Standby(ContainerRunner(POLICY, tmp_path / "two")):
            assert docker.left() == ["busy"]
        (docker.folder / "containers" / "busy").unlink()


def _owner_label() -> str:
    from dr_lib.standby.ownership import Owner

    return f"dr.standby.owner={Owner.ours().text()}"


def test_an_engine_that_does_not_answer_is_said(docker: Docker, tmp_path: Path) -> None:
    (docker.folder / "broken").touch()
    with pytest.raises(Refused, match="Cannot connect to the Docker daemon"):
        ContainerRunner(POLICY, tmp_path / "one").prepare()
    assert not (tmp_path / "one").exists()


def test_a_machine_without_docker_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DrError, match="docker is not installed here"):
        ContainerRunner(POLICY, tmp_path / "one").prepare()

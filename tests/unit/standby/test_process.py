"""A standby of this machine: what its commands are given, what comes back, and that nothing of it stays."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dr_lib.errors import AlreadyExists, NotFound, StoreUnavailable, UsageError
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.standby.base import Standby
from dr_lib.standby.orders import Order
from dr_lib.standby.ownership import create_owned
from dr_lib.standby.process import ProcessRunner

VaultConfig = tuple[str, str]


def test_a_point_comes_back_in_a_fresh_process_and_holds(
    vault_config: VaultConfig, live_dataset: Path, asset_of: Callable[..., Asset], tmp_path: Path
) -> None:
    config, point = vault_config
    with Standby(ProcessRunner(tmp_path / "standbys" / "one")) as standby:
        document = standby.restore(config, "tables", point, "here", {})
        assert document["point"] == point
        assert document["files"] == 2
        names = [path.name for path in sorted(live_dataset.iterdir())]
        assert [path.name for path in sorted(standby.restored.iterdir())] == names
        for name in names:
            assert (standby.restored / name).read_bytes() == (live_dataset / name).read_bytes()
        assert (standby.attachments / "tables.json").is_file()

        assert standby.smoke(asset_of(AssetKind.DATASET)).passed

        (standby.restored / "digits.parquet").unlink()
        assert standby.smoke(asset_of(AssetKind.DATASET)).cause == "missing table: digits.parquet"
    assert list((tmp_path / "standbys").iterdir()) == []


def test_the_child_s_error_arrives_as_the_class_of_its_exit_code(vault_config: VaultConfig, tmp_path: Path) -> None:
    config, point = vault_config
    with Standby(ProcessRunner(tmp_path / "standbys" / "one")) as standby:
        with pytest.raises(NotFound):
            standby.restore(config, "tables", "20200101T000000000000Z-00000000", "here", {})
        with pytest.raises(UsageError):
            standby.restore("version: [", "tables", point, "here", {})


def test_it_is_torn_down_after_a_failure(tmp_path: Path) -> None:
    standby = Standby(ProcessRunner(tmp_path / "standby"))

    def fail_inside() -> None:
        with standby:
            (standby.root / "restored").mkdir(mode=0o500)
            raise StoreUnavailable("the region went away")

    with pytest.raises(StoreUnavailable):
        fail_inside()
    assert list(tmp_path.iterdir()) == []


def test_two_drills_do_not_share_a_standby(tmp_path: Path) -> None:
    with Standby(ProcessRunner(tmp_path / "one")) as first, Standby(ProcessRunner(tmp_path / "two")) as second:
        assert first.root.is_dir()
        assert second.root.is_dir()
        with pytest.raises(AlreadyExists):
            create_owned(first.root)
    assert list(tmp_path.iterdir()) == []


def test_no_secret_stands_in_the_arguments_of_a_command(tmp_path: Path) -> None:
    runner = ProcessRunner(tmp_path / "one")
    runner.prepare()
    question = json.dumps({"root": str(runner.root), "forbidden": [], "known": [], "paths": [], "ports": []})
    order = Order("dr_lib.standby", ("environment",), {"DR_SECRET": "hush"}, stdin=question.encode())
    seen: list[list[str]] = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, argv: list[str], **more: object) -> None:
            seen.append(argv)
            assert "hush" not in str(more)
            super().__init__(argv, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", Watched)
        assert runner.run(order, 60).returncode == 0
    runner.teardown()
    assert seen == [[sys.executable, "-I", "-m", "dr_lib.standby.confine"]]


def test_a_command_dies_with_the_drill_that_ordered_it(tmp_path: Path) -> None:
    drill = (
        "import os\nfrom pathlib import Path\nfrom dr_lib.standby.orders import Order\n"
        "from dr_lib.standby.process import ProcessRunner\n"
        f"runner = ProcessRunner(Path({str(tmp_path / 'one')!r}))\nrunner.prepare()\n"
        "pipe = str(runner.root / 'pipe')\nos.mkfifo(pipe)\nprint('made', flush=True)\n"
        "runner.run(Order('json.tool', (pipe,)), None)\n"
    )
    with subprocess.Popen([sys.executable, "-c", drill], stdout=subprocess.PIPE) as drilling:
        assert drilling.stdout is not None
        assert drilling.stdout.readline() == b"made\n"
        with (tmp_path / "one" / "pipe").open("wb"):  # opens when the command does, which then waits for our end
            (command,) = psutil.Process(drilling.pid).children()
            drilling.kill()
            gone, _ = psutil.wait_procs([command], timeout=60)
    assert gone == [command]

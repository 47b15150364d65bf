"""A drill killed while it damages copies, or without room for one: nothing stays, and nothing is made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from tests.faults.test_full_disk import mount, small_disk
from tests.world import ASSET, World, make_world

ROWS = 150_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two regions with one verified point of a table of some MB."""
    world = make_world(tmp_path_factory.mktemp("w") / "w", asset={"kind": "dataset"})
    rows = "".join(f"{number},{number * 7919 % 10007},{number % 13}\n" for number in range(ROWS))
    (world.source / "table.csv").write_text("id,a,b\n" + rows)
    world.runtime.backup(ASSET)
    assert world.runtime.verify(ASSET)["ok"]
    return world


def drctl(world: World, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "dr_lib.cli", *arguments, "--json", "--config", str(world.config())]


def environ(standbys: Path) -> dict[str, str]:
    return {**os.environ, "DR_STANDBY_DIR": str(standbys)}


def until(found: Any, limit_s: float = 60.0) -> Any:
    wait = Retrying(retry=retry_if_result(lambda one: not one), wait=wait_fixed(0.005), stop=stop_after_delay(limit_s))
    return wait(found)


def test_killed_while_it_damages_a_copy_nothing_of_it_stays(world: World, tmp_path: Path):
    standbys = tmp_path / "standby"
    command = drctl(world, "drill", ASSET)
    drill = subprocess.Popen(command, env=environ(standbys), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: list(standbys.glob("*/home/copy-*")))
    children = psutil.Process(drill.pid).children(recursive=True)
    assert children
    drill.kill()
    drill.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert list(standbys.iterdir())
    undone = subprocess.run(drctl(world, "drill", "--undo"), env=environ(standbys), capture_output=True, check=True)
    assert json.loads(undone.stdout)["ok"] is True
    assert list(standbys.iterdir()) == []


def test_a_standby_without_room_for_a_copy_has_tried_nothing(world: World, tmp_path: Path):
    standbys = tmp_path / "mounted"
    if not mount(standbys, "size=64k"):
        pytest.skip("no file system can be mounted here")
    subprocess.run(["umount", str(standbys)], check=True)
    size = (world.source / "table.csv").stat().st_size
    with small_disk(standbys, f"size={int(size * 1.5)}"):
        done = subprocess.run(drctl(world, "drill", ASSET), env=environ(standbys), capture_output=True, check=False)
        document = json.loads(done.stdout)
        assert list(standbys.iterdir()) == []
    assert (document["verdict"], document["reasons"]) == ("proven", [])
    controls = {one["name"]: (one["caught"], one["detail"]) for one in document["control"]["controls"]}
    assert controls["a column perturbed"][0] is None
    assert "No space left" in controls["a column perturbed"][1]
    assert any(text.startswith("not shown that the smoke test notices: a column") for text in document["unproven"])
    assert "whether the smoke test would notice a damaged copy was not tried" in document["unproven"]

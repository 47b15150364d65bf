"""A drill whose standby has too little room, or fills up half-way: not proven, with the reason, and nothing stays."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dr_lib.standby.environment import capture
from tests.faults.test_full_disk import mount, small_disk
from tests.world import ASSET, World, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two regions with one verified point of 200 small files and one of 400 kB."""
    standbys = {"small": {"kind": "process", "room": "10KB"}}
    world = make_world(tmp_path_factory.mktemp("w") / "w", standbys=standbys, asset={"drill": {"standby": "small"}})
    (world.source / "large").write_bytes(os.urandom(400_000))
    for number in range(200):
        (world.source / f"small {number}").write_bytes(b"x")
    world.runtime.backup(ASSET)
    world.runtime.verify(ASSET)
    world.regions["one"].rename(world.folder / "lost")
    return world


def in_the_usual_standby(world: World, **more: Any) -> Path:
    """The world's configuration with the drill in `local`, and `more` fields of the asset, in a file of its own."""
    said = json.loads(world.config().read_text())
    said["assets"][ASSET] |= {"drill": {"standby": "local"}, **more}
    path = world.folder / "local.yaml"
    path.write_text(json.dumps(said))
    return path


def drilled(config: Path, standbys: Path, **limits: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "dr_lib.cli", "drill", ASSET, "--region", "one", "--json", "--config", str(config)]
    environ = {**os.environ, "DR_STANDBY_DIR": str(standbys)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environ, **limits)
    assert done.returncode == 3, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert (document["verdict"], document["rto_s"]) == ("not proven", None)
    assert list(standbys.iterdir()) == []
    return document


def test_a_standby_without_room_is_refused_before_a_byte_is_fetched(world: World) -> None:
    document = drilled(world.config(), world.folder / "standby")
    (disk,) = [row for row in document["preflight"] if row["name"] == "free disk bytes"]
    assert (disk["present"], disk["class"]) == ("10000", "blocking")
    assert "free disk bytes: less room than the asset needs" in document["reasons"][0]
    assert (document["bytes"], document["files"]) == (0, 0)
    assert list(document["phases"]) == ["detect", "decide"]


def test_a_disk_that_fills_up_half_way_is_the_reason(world: World) -> None:
    config, standbys = in_the_usual_standby(world), world.folder / "standby"

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    document = drilled(config, standbys, preexec_fn=small_files)
    assert "free some space" in document["reasons"][0]
    assert document["isolation"]
    assert {one["name"]: one for one in document["isolation"] if one["held"] is False} == {}


def test_a_small_file_system_that_fills_up_half_way_is_the_reason(world: World) -> None:
    standbys = world.folder / "mounted"
    if not mount(standbys, "size=64k"):
        pytest.skip("no file system can be mounted here")
    subprocess.run(["umount", str(standbys)], check=True)
    with small_disk(standbys, "size=8m,nr_inodes=60"):  # enough room, and names for a third of the files
        document = drilled(in_the_usual_standby(world), standbys)
    assert "free some space" in document["reasons"][0]


def test_a_standby_without_a_gpu_is_refused_where_the_test_demands_one(world: World, tmp_path: Path) -> None:
    if (reported := capture()["accelerator"]) != "cpu":
        pytest.skip(f"this machine has a GPU: {reported}")
    smoke = {"loader": "sentence-transformers", "device": "cuda"}
    document = drilled(in_the_usual_standby(world, smoke=smoke), tmp_path / "standby")
    assert "accelerator: no GPU here, and the smoke test must run on one" in document["reasons"][0]
    assert document["bytes"] == 0

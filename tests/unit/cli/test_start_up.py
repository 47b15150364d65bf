"""What a backup waits for before it begins: only for what it uses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import ASSET, make_world, weights

PROGRAM = """
import sys
from dr_lib.cli.main import main
assert main(sys.argv[1:]) == 0
print("LOADED", *{name.partition(".")[0] for name in sys.modules})
"""
YESTERDAY = 1_700_000_000
"""Some day before: a file that has only just changed is read again."""
SLOW = {"asyncio", "boto3", "botocore", "numpy", "pandas", "psutil", "pyarrow", "rich", "tenacity", "torch"}


def loaded(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.fixture
def configured(tmp_path: Path) -> list[str]:
    world = make_world(tmp_path / "world")
    weights(world.source / "model.safetensors")
    os.utime(world.source / "model.safetensors", (YESTERDAY, YESTERDAY))
    world.runtime.backup(ASSET)
    return [ASSET, "--config", str(world.config()), "--json"]


def test_a_backup_in_which_nothing_changed_loads_nothing_slow(configured: list[str]):
    assert loaded("backup", *configured) & SLOW == set()


def test_a_restore_loads_numpy_for_its_tensors_and_nothing_else_that_is_slow(configured: list[str], tmp_path: Path):
    assert loaded("restore", *configured, "--to", str(tmp_path / "out")) & SLOW == {"numpy"}

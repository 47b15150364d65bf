"""A sealed and signed vault with its recovery kit, and a machine that has Python and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.keys import fresh_keys, keys
from tests.world import World, make_world, weights

OFFLINE = (
    shutil.which("unshare")
    and subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0
)
ALONE = ["unshare", "-rn"] if OFFLINE else []
"""No network at all, not even of this machine to itself, where that can be had; the kit must not ask for any anyway."""


@dataclass(frozen=True)
class Bare:
    """`env -i python3 -I -S` in a directory of its own: no variable, no site-packages, nothing of ours."""

    folder: Path
    kit: Path

    def run(self, *arguments: object, online: Sequence[str] = (), env: dict[str, str] | None = None):
        given = [f"{name}={value}" for name, value in (env or {}).items()]
        python = [sys.executable, "-I", "-S", str(self.kit), *map(str, arguments)]
        command = [*([] if online else ALONE), "env", "-i", *given, *python]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def world(tmp_path: Path, shelf: Path) -> World:
    """Two sealed and signed regions, each with the kit, and one point of a model."""
    environ = keys().all() | {"DR_KIT": str(shelf)}
    made = make_world(tmp_path / "world", **keys().config(), environ=environ)
    weights(made.source / "model.safetensors", 1)
    (made.source / "config.json").write_text("{}")
    made.runtime.backup("thing")
    return made


@pytest.fixture
def bare(tmp_path: Path, world: World) -> Bare:
    """The machine of somebody who has a vault and two keys: that of operations is gone."""
    folder = tmp_path / "bare"
    folder.mkdir()
    world.runtime.save_kit(folder / "kit.pyz", "one")
    (folder / "escrow.agekey").write_text(keys().escrow + "\n")
    (folder / "other.agekey").write_text(fresh_keys().operations + "\n")
    return Bare(folder, folder / "kit.pyz")

"""Two small vaults, and a standby that only says what it was asked to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.workflows.drill.site import Site, StandIn, make_runtime, world_over
from tests.world import ASSET, make_world
from tests.world import World as Vaults


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drill") / "w"
    vaults = make_world(folder, asset={"kind": "dataset"})
    (vaults.source / "file.csv").write_text("a,b\n" + "1,2\n" * 500)
    vaults.runtime.backup(ASSET)
    assert vaults.runtime.verify(ASSET)["ok"]
    return folder


@pytest.fixture
def site(pristine: Path, tmp_path: Path) -> Site:
    folder = tmp_path / "w"
    shutil.copytree(pristine, folder)
    text = (folder / "dr.yaml").read_text().replace(str(pristine), str(folder))
    (folder / "dr.yaml").write_text(text)
    runtime = type(make_runtime(folder)).load(folder / "dr.yaml", environ={})
    regions = {name: folder / f"vault {name}" for name in ("one", "two")}
    vaults, standby = Vaults(folder, folder / "source", regions, runtime), StandIn()
    return Site(vaults, standby, world_over(vaults, standby))

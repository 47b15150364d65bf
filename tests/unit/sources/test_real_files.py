"""Every kind of asset comes back byte for byte, and its next version is stored where it differs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.unit.sources.real_files import KINDS, tensors
from tests.world import ASSET, World, make_world, tree


def write(world: World, name: str, version: int) -> None:
    world.source.rename(world.folder / f"source before {version}")
    world.source.mkdir()
    KINDS[name].write(world.source, version)


@pytest.mark.filterwarnings("ignore::Warning:torch")
@pytest.mark.parametrize("name", KINDS)
def test_both_versions_come_back_and_the_second_is_stored_where_it_differs(tmp_path: Path, name: str):
    world = make_world(tmp_path / "w", ("one",))
    points, trees = [], []
    for version in (0, 1):
        write(world, name, version)
        points.append(world.runtime.backup(ASSET))
        trees.append(tree(world.source))
    first, second = points
    assert first["logical_bytes"] > 4 << 20
    assert second["new_bytes"] / first["new_bytes"] < KINDS[name].share
    assert trees[0] != trees[1]
    for number, point in enumerate(points):
        target = tmp_path / f"restored {number}"
        world.runtime.restore(ASSET, str(target), point["point"])
        assert tree(target) == trees[number]


def test_a_tensor_is_stored_once_in_whatever_file_version_and_asset_it_stands(tmp_path: Path):
    sources = {name: tmp_path / name for name in ("base", "tuned")}
    assets = {name: {"kind": "model", "source": str(path), "regions": ["one"]} for name, path in sources.items()}
    world = make_world(tmp_path / "w", ("one",), assets=assets)
    sources["base"].mkdir()
    save_file(tensors(0), sources["base"] / "model.safetensors")
    first = world.runtime.backup("base")
    assert first["new_bytes"] > 6 << 20

    tuned = {**tensors(0), "an adapter": torch.ones(3)}
    sources["tuned"].mkdir()
    save_file(tuned, sources["tuned"] / "a.safetensors")
    torch.save(tuned, sources["tuned"] / "b.bin")
    assert world.runtime.backup("tuned")["new_bytes"] < 0.02 * first["new_bytes"]

    (sources["base"] / "model.safetensors").rename(sources["base"] / "renamed.safetensors")
    assert world.runtime.backup("base")["new_bytes"] == 0

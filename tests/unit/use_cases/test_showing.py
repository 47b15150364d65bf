"""What a point holds, a page at a time, for whoever has the key."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from dr_lib.errors import NotFound, PermissionDenied
from dr_lib.runtime import Runtime
from tests.keys import keys
from tests.world import ASSET, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", environ=keys().all(), **keys().config())
    save_file(
        {"layer.0": np.asarray([[1.0, -3.0, np.nan]], dtype=np.float32), "layer.1": np.zeros(2, dtype=np.float32)},
        world.source / "model.safetensors",
    )
    for number in range(5):
        (world.source / f"part {number}").write_bytes(bytes(number))
    world.runtime.backup(ASSET)
    return world


def test_files_and_tensors_are_told_with_what_their_numbers_look_like(world: World):
    found = world.runtime.contents(ASSET)
    assert [one["path"] for one in found["files"]] == ["model.safetensors", *(f"part {n}" for n in range(5))]
    assert [one["bytes"] for one in found["files"][1:]] == [0, 1, 2, 3, 4]
    (first, _) = found["tensors"]
    assert (first["name"], first["shape"], first["min"], first["max"], first["nan"]) == ("layer.0", [1, 3], -3, 1, 1)
    assert (found["file_count"], found["tensor_count"], found["next"]) == (6, 2, None)


def test_a_page_at_a_time_and_by_name(world: World):
    first = world.runtime.contents(ASSET, limit=4)
    rest = world.runtime.contents(ASSET, offset=first["next"], limit=4)
    assert len(first["files"]) == 4
    assert [one["path"] for one in rest["files"]] == ["part 3", "part 4"]
    assert rest["tensors"] == []
    assert rest["next"] is None
    assert [one["name"] for one in world.runtime.contents(ASSET, search="layer.1")["tensors"]] == ["layer.1"]


def test_names_that_are_no_text_can_be_shown(world: World):
    (Path(os.fsdecode(os.fsencode(world.source) + b"/odd\xff"))).write_bytes(b"x")
    world.runtime.backup(ASSET)
    shown = [one["path"] for one in world.runtime.contents(ASSET)["files"]]
    assert "odd\\udcff" in shown
    assert "".join(shown).encode()


def test_without_the_identity_nothing_is_told(world: World):
    blind = Runtime.load(world.config(), environ=keys().backup_host())
    with pytest.raises(PermissionDenied):
        blind.contents(ASSET)


def test_a_point_that_is_not_there_is_not_found(world: World):
    with pytest.raises(NotFound):
        world.runtime.contents(ASSET, "20200101T000000000000Z-00000000")

"""`--tensor` brings the named tensors in one valid safetensors file, and fetches little else."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from dr_lib.errors import IntegrityError, NotFound, UsageError
from dr_lib.storage.local import LocalStore
from tests.world import ASSET, World, change, flip, make_world, weights


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", ("one",))
    weights(world.source / "a.safetensors", seed=1)
    large = np.random.default_rng(3).standard_normal(6_000_000, dtype=np.float32)
    weights(
        world.source / "b.safetensors", seed=2, matrix=large[:99].copy(), large=large, odd=large[:3].astype(np.int8)
    )
    (world.source / "other.bin").write_bytes(os.urandom(30 << 20))
    world.runtime.backup(ASSET)
    return world


@pytest.fixture
def read(monkeypatch) -> list[int]:
    """Bytes of each range of a pack that is read from now on."""
    real, seen = LocalStore.get_range, []

    def get_range(self: LocalStore, key: str, start: int, length: int) -> bytes:
        seen.append(length if key.startswith("packs/") else 0)
        return real(self, key, start, length)

    monkeypatch.setattr(LocalStore, "get_range", get_range)
    return seen


def restored(world: World, *names: str) -> Path:
    target = world.folder / "restored"
    document = world.runtime.restore(ASSET, str(target), tensor=names)
    assert (document["files"], [path.name for path in target.iterdir()]) == (1, ["tensors.safetensors"])
    return target / "tensors.safetensors"


def test_named_tensors_come_in_one_file_and_nothing_else(world: World):
    names = ["vector", "scalar", "nothing", "large", "odd"]
    found = load_file(restored(world, *names))
    live = load_file(world.source / "a.safetensors") | load_file(world.source / "b.safetensors")
    assert sorted(found) == sorted(names)
    for name, value in found.items():
        assert (value.dtype, value.shape) == (live[name].dtype, live[name].shape)
        assert value.tobytes() == live[name].tobytes()


def test_the_file_says_where_it_comes_from_and_its_data_is_aligned(world: World):
    path = restored(world, "odd", "large")
    with safe_open(path, "numpy") as file:
        assert file.metadata()["from"].startswith(f"{ASSET}/")
    length = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + length])
    assert length % 8 == 0
    assert header["large"]["data_offsets"][0] == 0, "the widest elements come first"


def test_only_the_frames_of_a_tensor_are_fetched(world: World, read: list[int]):
    restored(world, "vector")
    assert 0 < sum(read) < 3 << 20


def test_include_fetches_only_what_it_names(world: World, read: list[int]):
    world.runtime.restore(ASSET, str(world.folder / "restored"), include=["a.*"])
    assert 0 < sum(read) < 4 << 20


def test_a_name_in_two_files_lists_them_and_the_file_tells_them_apart(world: World):
    with pytest.raises(UsageError, match=r"a\.safetensors:matrix, b\.safetensors:matrix"):
        restored(world, "matrix")
    [found] = load_file(restored(world, "b.safetensors:matrix")).values()
    assert found.tobytes() == load_file(world.source / "b.safetensors")["matrix"].tobytes()


def test_two_tensors_of_one_name_do_not_fit_one_file(world: World):
    with pytest.raises(UsageError, match=r"'matrix' is in a\.safetensors and b\.safetensors"):
        restored(world, "a.safetensors:matrix", "b.safetensors:matrix")


def test_a_name_that_is_nearly_right_is_suggested(world: World):
    with pytest.raises(NotFound, match="did you mean vector"):
        restored(world, "vectro")
    with pytest.raises(NotFound, match="the point has 6 tensors"):
        restored(world, "qqqqqqqqqq")
    assert not (world.folder / "restored").exists()


def test_tensors_and_files_are_not_asked_for_together(world: World):
    with pytest.raises(UsageError, match="--include"):
        world.runtime.restore(ASSET, str(world.folder / "restored"), include=["a.*"], tensor=["vector"])


def test_damage_is_an_integrity_error_and_leaves_nothing(world: World):
    for pack in world.packs("one"):
        change(pack, lambda data: flip(flip(data, 40), len(data) // 3))
    with pytest.raises(IntegrityError):
        restored(world, "vector", "large", "scalar", "a.safetensors:matrix")
    assert [path.name for path in world.folder.iterdir() if "restored" in path.name] == []

"""`load_state_dict` gives the live model's tensors, streamed, each proven where it lies."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from dr_lib.errors import IntegrityError, NotFound, UsageError
from dr_lib.tensors import load_state_dict
from dr_lib.torch_memory import DTYPES, TorchMemory, _Lane
from tests.world import ASSET, World, change, flip, make_world

PEAK = """
import resource, sys
from pathlib import Path
from dr_lib.tensors import load_state_dict
load_state_dict("thing", config=Path(sys.argv[1]), names=["small"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tensors = load_state_dict("thing", config=Path(sys.argv[1]), file="large.safetensors")
size = sum(t.nbytes for t in tensors.values())
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 - size)
"""


def of_every_dtype() -> dict[str, torch.Tensor]:
    raw = torch.from_numpy(np.random.default_rng(0).integers(0, 2, 48, dtype=np.uint8))
    return {name.lower(): raw.view(dtype).reshape(2, -1).clone() for name, dtype in DTYPES.items()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", asset={"gates": "none"})  # some tests put a wholly other model there
    more = {"scalar": torch.tensor(1.5), "none": torch.zeros((0, 3)), "twice": torch.ones(5)}
    save_file(of_every_dtype() | more, world.source / "a.safetensors")
    save_file({"twice": torch.zeros(7), "only": torch.randn(3_000_000)}, world.source / "b.safetensors")
    world.runtime.backup(ASSET)
    return world


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    flat = [tensor.reshape(-1).view(torch.uint8) for tensor in (left, right)]
    return left.dtype == right.dtype and left.shape == right.shape and torch.equal(*flat)


def test_a_file_comes_back_as_safetensors_itself_reads_it(world: World):
    found = load_state_dict(ASSET, config=world.config(), file="a.safetensors")
    live = load_file(world.source / "a.safetensors")
    assert sorted(found) == sorted(live)
    assert all(same(found[name], live[name]) for name in live)


def test_names_bring_these_alone(world: World):
    found = load_state_dict(ASSET, config=world.runtime, names=["only", "a.safetensors:twice"])
    assert {name: tensor.shape for name, tensor in found.items()} == {"only": (3_000_000,), "twice": (5,)}
    assert same(found["only"], load_file(world.source / "b.safetensors")["only"])


def test_a_name_in_two_files_is_refused_with_both(world: World):
    with pytest.raises(UsageError, match=r"'twice' is in a\.safetensors and b\.safetensors"):
        load_state_dict(ASSET, config=world.config())
    with pytest.raises(UsageError, match=r"a\.safetensors:twice, b\.safetensors:twice"):
        load_state_dict(ASSET, config=world.config(), names=["twice"])


def test_what_is_not_there_is_not_found(world: World):
    with pytest.raises(NotFound, match="did you mean only"):
        load_state_dict(ASSET, config=world.config(), names=["onyl"])
    with pytest.raises(NotFound, match=r"files with tensors: a\.safetensors, b\.safetensors"):
        load_state_dict(ASSET, config=world.config(), file="c.safetensors")


def test_damage_in_one_region_is_made_good_by_the_other_and_in_both_refused(world: World):
    change(world.packs("one")[0], flip)
    found = load_state_dict(ASSET, config=world.config(), names=["only"])
    assert same(found["only"], load_file(world.source / "b.safetensors")["only"])
    change(world.packs("two")[0], flip)
    with pytest.raises(IntegrityError):
        load_state_dict(ASSET, config=world.config(), names=["only"])


def test_bytes_that_change_on_their_way_into_memory_are_found(world: World, monkeypatch):
    real = TorchMemory.put
    monkeypatch.setattr(TorchMemory, "put", lambda s, t, at, data: real(s, t, at, memoryview(flip(bytes(data)))))
    with pytest.raises(IntegrityError, match="tensor 'only' is not the one"):
        load_state_dict(ASSET, config=world.config(), names=["only"])


def test_a_dtype_that_torch_lacks_and_a_device_that_is_absent_are_said(world: World, monkeypatch):
    with pytest.raises(UsageError, match="no device nonsense"):
        load_state_dict(ASSET, config=world.config(), device="nonsense")
    monkeypatch.delitem(DTYPES, "F32")
    with pytest.raises(UsageError, match="torch has no dtype for F32"):
        load_state_dict(ASSET, config=world.config(), names=["only"])


def test_memory_beside_the_tensors_is_bounded(world: World):
    save_file({"small": torch.ones(5)}, world.source / "small.safetensors")
    random = np.random.default_rng(0)
    many = {f"t{n}": torch.frombuffer(bytearray(random.bytes(16 << 20)), dtype=torch.uint8) for n in range(20)}
    save_file(many, world.source / "large.safetensors")
    world.runtime.backup(ASSET, ["one"])
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(world.config())], capture_output=True, text=True, timeout=120, check=True
    )
    assert int(done.stdout) < 320 << 20


def test_a_lane_carries_more_than_its_buffers_hold_both_ways():
    lane = _Lane(torch.device("cpu"))
    data = np.random.default_rng(0).integers(0, 256, (8 << 20) * 3 + 5, dtype=np.uint8)
    target = torch.empty(len(data), dtype=torch.uint8)
    lane.send(target, data.data)
    assert target.numpy().tobytes() == data.tobytes()
    assert b"".join(bytes(piece) for piece in lane.receive(target)) == data.tobytes()

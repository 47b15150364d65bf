"""`--limit-upload` and `--limit-download` reach the runtime on every command that moves bytes."""

import pytest

from dr_lib.errors import UsageError
from tests.world import ASSET, World, make_world


@pytest.mark.parametrize(
    "command", [["backup", "m"], ["replicate", "m"], ["verify", "m"], ["restore", "m", "--to", "/t"]]
)
def test_rates_are_handed_on(drctl, command):
    drctl.runtime.answers["limited"] = drctl.runtime
    assert drctl(*command, "--limit-upload", "20MB/s", "--limit-download", "512KiB/s") == 0
    assert drctl.runtime.calls["limited"] == {"upload": "20MB/s", "download": "512KiB/s"}
    assert command[0] in drctl.runtime.calls


def test_without_them_the_files_limits_count(drctl):
    assert drctl("backup", "m") == 0
    assert "limited" not in drctl.runtime.calls


@pytest.fixture
def world(tmp_path) -> World:
    world = make_world(tmp_path / "w")
    (world.source / "file").write_bytes(b"x")
    return world


def test_what_is_no_rate_is_a_mistake_of_usage(world):
    with pytest.raises(UsageError, match="'fast' is no rate"):
        world.runtime.limited("fast")


def test_a_limited_runtime_does_all_that_another_does(world):
    runtime = world.runtime.limited("1GB/s", "1GB/s")
    runtime.backup(ASSET)
    runtime.restore(ASSET, str(world.folder / "restored"))
    assert (world.folder / "restored" / "file").read_bytes() == b"x"

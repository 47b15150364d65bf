"""A really full disk: a small tmpfs where one can be mounted, and a limit on file sizes anywhere."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from dr_lib.errors import OutOfSpace, Refused
from tests.faults.dying import DONE, dies_before
from tests.world import ASSET, World, make_world, tree

NEVER = 1 << 40


def mount(folder: Path, options: str) -> bool:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return os.getuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    assert mount(folder, options)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def mounts(tmp_path_factory) -> bool:
    """Whether a tmpfs can be mounted here; where not, the limit on file sizes alone stands for a full disk."""
    folder = tmp_path_factory.mktemp("mount")
    found = mount(folder, "size=64k")
    if found:
        subprocess.run(["umount", str(folder)], check=True)
    return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path / "w", ("one",))
    (world.source / "large").write_bytes(os.urandom(400_000))
    for number in range(200):
        (world.source / f"small {number}").write_bytes(b"x")
    return world


def limited(size: int, work) -> None:
    """`work` raises `OutOfSpace` in a process whose files may not grow beyond `size`."""

    def within() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        with pytest.raises(OutOfSpace):
            work()

    assert dies_before(NEVER, within) == DONE


def test_a_restore_onto_a_disk_that_fills_up_ends_with_exit_6_and_leaves_nothing(world: World, mounts):
    world.runtime.backup(ASSET)
    target = world.folder / "small" / "restored"
    target.parent.mkdir()
    limited(300_000, lambda: world.runtime.restore(ASSET, str(target)))
    assert list(target.parent.iterdir()) == []
    # A page a file is more than the file's one byte; and a file system may run out of names before it runs out of room.
    for options in ("size=480k", "size=8m,nr_inodes=20", "size=100k") if mounts else ():
        with small_disk(target.parent, options):
            command = [sys.executable, "-m", "dr_lib.cli", "restore", ASSET, "--to", str(target)]
            done = subprocess.run(
                [*command, "--config", str(world.config())], capture_output=True, text=True, timeout=60, check=False
            )
            assert (done.returncode, "free some space" in done.stderr) == (6, True), done.stderr
            assert list(target.parent.iterdir()) == []
    world.runtime.restore(ASSET, str(target))
    assert tree(target) == tree(world.source)


def test_a_backup_into_a_full_store_ends_with_exit_6_and_can_be_given_again(world: World, mounts):
    limited(300_000, lambda: world.runtime.backup(ASSET))
    assert world.manifests("one") == []
    assert list((world.regions["one"] / ".dr-incoming").iterdir()) == []
    if mounts:
        with small_disk(world.folder / "disk", "size=300k"):
            other = make_world_on(world)
            with pytest.raises(OutOfSpace) as raised:
                other.runtime.backup(ASSET)
            assert raised.value.exit_code == 6
            assert other.manifests("one") == []
            subprocess.run(["mount", "-o", "remount,size=8m", str(world.folder / "disk")], check=True)
            other.runtime.backup(ASSET)
            assert all(r["ok"] for r in other.runtime.verify(ASSET)["results"])
    world.runtime.backup(ASSET)
    assert all(r["ok"] for r in world.runtime.verify(ASSET)["results"])


def make_world_on(world: World) -> World:
    """A second world whose region is on the small disk and whose source is the first one's."""
    other = make_world(world.folder / "other", ("one",), asset={"source": str(world.source)})
    place = world.folder / "disk" / "vault"
    text = other.config().read_text().replace(str(other.regions["one"]), str(place))
    other.config().write_text(text)
    runtime = type(other.runtime).load(other.config(), environ={})
    runtime.initialize()
    return World(other.folder, world.source, {"one": place}, runtime)


def test_a_mount_point_is_no_target(world: World, mounts, monkeypatch):
    """It would be found out only at the end, when nothing can be renamed over it."""
    world.runtime.backup(ASSET)
    target = world.folder / "mounted"
    target.mkdir()
    if not mounts:
        monkeypatch.setattr(Path, "is_mount", lambda path: path == target)
    with small_disk(target, "size=8m") if mounts else nullcontext(), pytest.raises(Refused, match="mount point"):
        world.runtime.restore(ASSET, str(target))

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dr_lib.errors import AlreadyExists, Refused
from dr_lib.standby.ownership import OWNER, Owner, create_owned, remove_owned, sweep

HOLDER = """
import sys
from pathlib import Path
from dr_lib.standby.ownership import create_owned
create_owned(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A living process that owns `tmp_path/held`."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "held")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    yield child
    child.kill()
    child.communicate()


def test_what_a_killed_process_left_is_swept(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    (tmp_path / "held" / "restored").mkdir()
    assert sweep(tmp_path) == ()

    holder.kill()
    holder.wait()

    assert sweep(tmp_path) == (tmp_path / "held",)
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_keeps_its_directory(tmp_path: Path, holder: subprocess.Popen[bytes]) -> None:
    with pytest.raises(AlreadyExists):
        create_owned(tmp_path / "held")
    assert [path.name for path in tmp_path.iterdir()] == ["held"]
    assert json.loads((tmp_path / "held" / OWNER).read_bytes())["pid"] == holder.pid


def test_a_process_id_used_again_is_another_process(tmp_path: Path) -> None:
    earlier = replace(Owner.ours(), started_ms=Owner.ours().started_ms - 60_000)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / OWNER).write_text(json.dumps(asdict(earlier)))
    (tmp_path / f".standby-{earlier.host}-{earlier.pid}-{earlier.started_ms}-0123abcd").mkdir()

    sweep(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_other_machines_and_strangers_are_left_alone(tmp_path: Path) -> None:
    elsewhere = Owner("another-machine", 1, 0)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / OWNER).write_text(json.dumps(asdict(elsewhere)))
    (tmp_path / "mine").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / OWNER).write_text("{")
    (tmp_path / "file").write_text("kept")

    assert sweep(tmp_path) == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "file", "mine", "theirs"]


def test_the_directory_is_private_and_removed_whatever_its_modes(tmp_path: Path) -> None:
    directory = tmp_path / "standby"
    create_owned(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    (directory / "sealed").mkdir()
    (directory / "sealed" / "file").write_text("x")
    (directory / "link").symlink_to(tmp_path)
    (directory / "sealed").chmod(0o000)

    remove_owned(directory)
    remove_owned(directory)

    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refused):
        create_owned(tmp_path / "file" / "standby")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]

"""What a confined command still can, and can no more."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path

import landlockpy
import pytest

from dr_lib.standby import confinement
from dr_lib.standby.environment import gpu_name
from dr_lib.standby.orders import Order, Reach
from dr_lib.standby.process import ProcessRunner
from tests.plugins.not_run import NO_GPU

pytestmark = pytest.mark.skipif(landlockpy.abi_version() < 4, reason="this kernel has no Landlock for TCP (ABI 4)")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory):
    """A standby whose tries are small programs in its own directory, run as modules are."""
    runner = ProcessRunner(tmp_path_factory.mktemp("standbys") / "one")
    runner.prepare()
    yield runner
    runner.teardown()


def tried(
    runner: ProcessRunner, code: str, reach: Reach | None = None, *, keeps_root: bool = False, **environ: str
) -> str:
    """What a confined Python printed for `code`, or the name of the exception it ended with."""
    # `timeit` runs a statement given as an argument: a module of the standard library, so that nothing is installed.
    order = Order("timeit", ("-n1", "-r1", "-s", code, "pass"), environ, reach=reach or Reach(), keeps_root=keeps_root)
    finished = runner.run(order, 60)
    words = finished.stderr.decode().strip().splitlines()
    return "done" if finished.returncode == 0 else words[-1].partition(":")[0]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("open('/etc/shadow').read()", "PermissionError"),
        ("open('/etc/hosts').read()", "done"),
        ("import os; os.listdir('/root')", "PermissionError"),
        ("open('mine', 'w').write('x'); open('mine').read()", "done"),
        ("import tempfile; tempfile.TemporaryFile().write(b'x')", "done"),
        ("open('/dev/null', 'w').write('x')", "done"),
        ("import subprocess; subprocess.run(['/bin/sh', '-c', 'exit 0'], check=True)", "done"),
        (
            "import subprocess; subprocess.run(['/bin/sh', '-c', 'ls /root'], check=True)",
            "subprocess.CalledProcessError",
        ),
        # As CUDA does when it starts.
        ("import threading as t; open(f'/proc/self/task/{t.get_native_id()}/comm', 'w').write('x')", "done"),
        ("open('/proc/self/oom_score_adj', 'w').write('1000')", "PermissionError"),
        ("open('/proc/sys/kernel/hostname', 'w').write('x')", "PermissionError"),
        ("import os; os.kill(os.getppid(), 0)", "PermissionError"),
        ("import os; os.chown('.', 1, 1)", "PermissionError"),
        ("import os; open(f'/proc/{os.getppid()}/environ').read()", "PermissionError"),
        ("import socket; socket.create_server(('127.0.0.1', 0))", "PermissionError"),
        ("import torch, numpy, safetensors", "done"),
        ("import multiprocessing; multiprocessing.Lock()", "done"),
        ("import os; os.listdir('/dev/shm')", "PermissionError"),
    ],
)
def test_a_command_can_do_its_work_and_no_more(runner: ProcessRunner, code: str, expected: str) -> None:
    assert tried(runner, code) == expected


def test_what_survives_can_be_read_and_not_written(runner: ProcessRunner, tmp_path: Path) -> None:
    (tmp_path / "pack").write_bytes(b"x")
    reach = Reach((str(tmp_path),), ())
    assert tried(runner, f"open({str(tmp_path / 'pack')!r}).read()", reach) == "done"
    assert tried(runner, f"open({str(tmp_path / 'pack')!r}, 'a').write('y')", reach) == "PermissionError"
    assert tried(runner, f"open({str(tmp_path / 'pack')!r}).read()") == "PermissionError"


def test_what_was_restored_can_be_kept_from_changes(runner: ProcessRunner) -> None:
    (runner.root / "restored").mkdir(exist_ok=True)
    (runner.root / "restored" / "weights").write_bytes(b"x")
    write = "open('../restored/weights', 'a').write('y')"
    assert tried(runner, "open('../restored/weights').read()", keeps_root=True) == "done"
    assert tried(runner, write, keeps_root=True) == "PermissionError"
    assert tried(runner, "import os; os.unlink('../restored/weights')", keeps_root=True) == "PermissionError"
    assert tried(runner, "import os; os.mkdir('../restored/new')", keeps_root=True) == "PermissionError"
    assert tried(runner, "open('mine', 'w'); open('../tmp/mine', 'w')", keeps_root=True) == "done"
    assert tried(runner, write) == "done"


def test_it_starts_with_what_it_was_given_and_no_more(runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DR_EU_WEST_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/local/nvidia/lib64")
    names = json.dumps(
        sorted(["LD_LIBRARY_PATH", "PATH", "LANG", "HOME", "TMPDIR", "DR_GIVEN", "DR_STANDBY_CONFINED", "DR_CHILD_OF"])
    )
    code = f"import os, json; names = sorted(os.environ); assert names == {names}, names"
    assert tried(runner, code, DR_GIVEN="x") == "done"


def _none() -> int:
    return 0


def _filtered() -> int:
    raise landlockpy.LandlockError(errno.EPERM, "as the system calls of an older container engine answer")


@pytest.mark.parametrize("version", [_none, _filtered])
def test_without_landlock_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: Callable[[], int]
) -> None:
    monkeypatch.setattr(landlockpy, "abi_version", version)
    assert confinement.bounds_here() == ()
    assert confinement.confine(tmp_path, Reach()) == frozenset()
    assert list(tmp_path.parent.iterdir())  # and this process is as free as before


def test_where_any_port_is_needed_ports_are_not_claimed(runner: ProcessRunner) -> None:
    code = "import os; assert os.environ['DR_STANDBY_CONFINED'] == 'files', os.environ['DR_STANDBY_CONFINED']"
    assert tried(runner, code, Reach(ports=None)) == "done"
    assert tried(runner, code.replace("'files'", "'files,ports'")) == "done"


def test_libraries_that_the_loader_is_told_of_can_be_loaded(
    runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = tmp_path / "libdriver.so.1"
    library.write_bytes(Path(_libm()).read_bytes())
    code = "import ctypes; ctypes.CDLL('libdriver.so.1')"
    assert tried(runner, code) == "OSError"
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}:/:.:")
    assert tried(runner, code) == "done"
    assert tried(runner, "open('/etc/shadow').read()") == "PermissionError"


def _libm() -> str:
    return next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libm" in line)


@pytest.mark.skipif(gpu_name() is None, reason=NO_GPU)
def test_a_gpu_is_used_from_inside(runner: ProcessRunner) -> None:
    code = "import torch; x = torch.ones(1000, 1000, device='cuda'); assert (x @ x).sum().item() == 1e9"
    assert tried(runner, code) == "done"

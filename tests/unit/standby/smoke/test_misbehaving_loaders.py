"""A loader may do anything: the test ends, says what happened, and nothing of it is left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dr_lib.model.asset import AssetKind
from dr_lib.model.drill import SmokeResult
from dr_lib.model.smoke import Tolerance
from dr_lib.standby import smoke
from dr_lib.standby.child_process import Finished, bare_environ, run_child

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PLACE = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(HERE)!r}]; sys.argv[:] = [sys.argv[1]]; "
RUN = PLACE + "import runpy; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"


@pytest.fixture
def restored(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "restored").mkdir()
    (tmp_path / "restored" / "model.safetensors").write_bytes(b"weights")
    return tmp_path / "restored"


def smoke_with(name: str, restored: Path, timeout_s: float = 60.0) -> SmokeResult:
    """The smoke test with that loader, in a process that finds it."""

    def start(module: str, question: bytes, limit_s: float) -> Finished:
        home = restored.parent / "home"
        argv = [sys.executable, "-I", "-c", RUN, module]
        return run_child(argv, environ=bare_environ(home), cwd=home, stdin=question, timeout_s=limit_s)

    golden = {"inputs": ["a", "bb"], "outputs": [[1.0, 1.0], [2.0, 1.0]], "accelerator": "cpu", "files": {}}
    loader = f"misbehaving:{name}"
    (restored.parent / "golden.json").write_text(json.dumps(golden | {"loader": loader}))
    request = smoke.SmokeRequest(AssetKind.MODEL, restored, restored.parent, loader, Tolerance())
    return smoke.run(request, timeout_s=timeout_s, start=start)


def test_one_that_behaves_passes(restored: Path) -> None:
    result = smoke_with("right", restored)
    assert (result.passed, result.cause) == (True, None)


def test_one_that_always_says_the_same_does_not(restored: Path) -> None:
    assert not smoke_with("constant", restored).passed


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("kills_itself", "the smoke process was killed (SIGKILL) from outside"),
        ("leaves_quietly", "the smoke process gave no readable answer"),
        ("leaves_politely", "the smoke process gave no readable answer"),
        ("answers_for_itself", "the smoke process gave no readable answer"),
    ],
)
def test_one_that_goes_without_an_answer_fails(restored: Path, name: str, cause: str) -> None:
    result = smoke_with(name, restored)
    assert not result.passed
    assert result.cause is not None
    assert cause in result.cause


def test_one_that_hangs_is_ended(restored: Path) -> None:
    result = smoke_with("hangs", restored, timeout_s=3.0)
    assert result.cause == "the smoke test hung: no answer within 3 s"


def test_what_it_left_running_is_ended(restored: Path) -> None:
    assert smoke_with("forks", restored).passed
    left = int((restored.parent / "forked").read_text())
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


def test_one_that_writes_into_the_tree_fails(restored: Path) -> None:
    result = smoke_with("writes", restored)
    assert not result.passed
    assert result.cause == "the loader changed what was restored: model.safetensors"
    assert result.checks[-1].name == "left as it was"


def test_one_that_talks_is_only_talking(restored: Path) -> None:
    assert smoke_with("talks", restored).passed


def test_a_loader_that_is_not_installed_is_named(restored: Path) -> None:
    result = smoke_with("no_such_loader", restored)
    assert result.cause is not None
    assert result.cause.startswith("the loader misbehaving:no_such_loader is not here")


def test_no_process_of_all_these_is_left(restored: Path) -> None:
    command = subprocess.list2cmdline([RUN])[:40]
    assert not any(command in " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"]))

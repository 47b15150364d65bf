"""How the fresh process starts, what it may see, and what becomes of a crash, a kill, a hang or too little memory."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from dr_lib.model.asset import Asset
from dr_lib.model.drill import SmokeResult
from dr_lib.standby import smoke

Held = Callable[[Path, Callable[[psutil.Process], None]], AbstractContextManager[None]]


@pytest.fixture
def run(model_asset: Asset, tmp_path: Path) -> Callable[..., SmokeResult]:
    request = smoke.SmokeRequest.from_asset(model_asset, tmp_path, tmp_path)
    return lambda timeout_s=60.0: smoke.run(request, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (signal.SIGKILL, "out of memory, most likely: the smoke process was killed (SIGKILL) from outside"),
        (signal.SIGSEGV, "the smoke process crashed (SIGSEGV): no message"),
    ],
)
def test_a_signal_is_put_into_words(
    run: Callable[..., SmokeResult], held_child: Held, tmp_path: Path, number: int, cause: str
) -> None:
    with held_child(tmp_path, lambda child: child.send_signal(number)):
        result = run()
    assert not result.passed
    assert result.cause == cause
    assert [check.passed for check in result.checks] == [False]


def test_a_hang_ends_with_the_time_limit(
    run: Callable[..., SmokeResult], smoke_children: Callable[[], list[psutil.Process]], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "golden.json")
    result = run(timeout_s=2.0)
    assert not result.passed
    assert result.cause == "the smoke test hung: no answer within 2 s"
    assert smoke_children() == []


def test_a_process_that_cannot_start_is_a_failed_test(
    run: Callable[..., SmokeResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    result = run()
    assert not result.passed
    assert result.cause is not None
    assert result.cause.startswith("the smoke process could not be started: ")


def test_too_little_memory_is_named(
    model_asset: Asset, golden: Path, live_model: Path, held_child: Held, tmp_path: Path
) -> None:
    recorded = (golden / "golden.json").read_bytes()

    def starve_and_feed(child: psutil.Process) -> None:
        mapped = child.memory_info().vms
        child.rlimit(resource.RLIMIT_AS, (mapped + (32 << 20), mapped + (32 << 20)))
        (tmp_path / "golden.json").write_bytes(recorded)

    with held_child(tmp_path, starve_and_feed):
        result = smoke.run(smoke.SmokeRequest.from_asset(model_asset, live_model, tmp_path))
    assert not result.passed
    assert result.cause is not None
    assert result.cause.startswith("out of memory: ")


def test_the_child_sees_no_credential_and_no_configuration(
    run: Callable[..., SmokeResult], held_child: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DR_US_EAST_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("DR_CONFIG", "/etc/dr.yaml")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    seen: dict[str, str] = {}

    def look(child: psutil.Process) -> None:
        seen.update(child.environ())
        child.kill()

    with held_child(tmp_path, look):
        run()
    assert not {"DR_US_EAST_SECRET_ACCESS_KEY", "DR_CONFIG"} & set(seen)
    assert seen["HF_HUB_OFFLINE"] == seen["TRANSFORMERS_OFFLINE"] == "1"
    assert seen["CUDA_VISIBLE_DEVICES"] == ""
    assert seen["HOME"] != os.environ.get("HOME")
    assert not Path(seen["HOME"]).exists()


def test_what_libraries_print_does_not_reach_the_answer() -> None:
    noisy = (
        "import os; from dr_lib.standby.smoke.serving import serve\n"
        "serve(lambda request: (print('chatter', flush=True), os.write(1, b'more'), {'echo': request})[2])"
    )
    ended = subprocess.run([sys.executable, "-c", noisy], input=b'{"task": "x"}', capture_output=True, check=True)
    assert json.loads(ended.stdout) == {"result": {"echo": {"task": "x"}}}
    assert b"chatter" in ended.stderr
    assert b"more" in ended.stderr


def test_importing_the_standby_loads_no_heavy_library() -> None:
    code = (
        "import sys, dr_lib.standby.process, dr_lib.standby.proof\n"
        "print([name for name in ('torch', 'transformers', 'pandas', 'pyarrow', 'numpy', 'great_expectations')"
        " if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ended.stdout.strip() == "[]"

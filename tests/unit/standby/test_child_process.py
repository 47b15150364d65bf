from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from dr_lib.standby.child_process import bare_environ, last_words, run_child


def test_the_child_gets_exactly_the_environment_and_input_it_is_given(tmp_path: Path) -> None:
    code = "import os, sys; print(sorted(os.environ)); print(os.getcwd()); print(sys.stdin.read()); sys.exit(7)"
    ended = run_child([sys.executable, "-I", "-c", code], environ={"ONLY": "1"}, cwd=tmp_path, stdin=b"hello")
    names, place, text = ended.stdout.decode().splitlines()
    assert "ONLY" in names
    assert "PATH" not in names
    assert place == str(tmp_path)
    assert text == "hello"
    assert ended.returncode == 7


def test_what_a_child_leaves_running_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; quiet = dict.fromkeys(('stdin', 'stdout', 'stderr'), subprocess.DEVNULL)\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], **quiet).pid)"
    )
    ended = run_child([sys.executable, "-c", code], environ=bare_environ(tmp_path), cwd=tmp_path)
    grandchild = int(ended.stdout)
    for attempt in Retrying(stop=stop_after_delay(10), wait=wait_fixed(0.02), reraise=True):
        with attempt:
            assert _is_over(grandchild)


def _is_over(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_bare_environ_holds_no_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert set(bare_environ(tmp_path)) - {"LD_LIBRARY_PATH"} == {"PATH", "LANG", "HOME"}


def test_last_words() -> None:
    assert last_words(b"Traceback\n  ValueError: no\n\n") == "ValueError: no"
    assert last_words(b"\n") == "no message"


def test_a_server_that_it_was_to_start_stays(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; nothing = subprocess.DEVNULL; p = subprocess.Popen([sys.executable, '-c', "
        "'import signal; signal.sigtimedwait([signal.SIGUSR1], 60)'], start_new_session=True, stdout=nothing, "
        "stderr=nothing); print(p.pid)"
    )
    argv, surroundings = [sys.executable, "-c", code], bare_environ(tmp_path)
    server = psutil.Process(int(run_child(argv, environ=surroundings, cwd=tmp_path, leaves=True).stdout))
    assert server.is_running()
    server.kill()
    ended = int(run_child(argv, environ=surroundings, cwd=tmp_path).stdout)
    assert not psutil.pid_exists(ended) or psutil.Process(ended).status() == psutil.STATUS_ZOMBIE

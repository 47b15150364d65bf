"""Processes of a demo: found again without a record, ended with all of their children, never a stranger."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest

from dr_lib.demo.processes import (
    AIRFLOW,
    REGION,
    ProcessRecord,
    await_free,
    end,
    first_free_port,
    marked,
    members,
    port_is_free,
    start,
)

CHILD = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
PARENT = f"""
import subprocess, sys, signal
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print("ready", flush=True)
signal.pause()
"""


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "with space"
    yield home
    end(members(home, AIRFLOW, REGION))


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch):
    monkeypatch.setattr("dr_lib.demo.processes._GRACE_S", 1.0)


def start_ready(home, code):
    """Started, and past its first line of output, which a named pipe carries here."""
    home.mkdir(parents=True, exist_ok=True)
    pipe = home / "pipe"
    os.mkfifo(pipe)
    record = start(
        "it",
        [sys.executable, "-c", f"import sys; sys.stdout = open({str(pipe)!r}, 'w')\n{code}"],
        env=dict(os.environ),
        home=home,
        log=home / "log",
    )
    with pipe.open() as told:
        assert told.readline() == "ready\n"
    return record


def test_a_process_and_a_child_that_ignores_the_polite_signal_both_end(home):
    record = start_ready(home, PARENT)
    family = members(home, AIRFLOW)
    assert record.alive
    assert len(family) == 2
    assert end(family) == 2
    assert members(home, AIRFLOW) == []
    assert not record.alive


def test_a_child_is_found_when_its_parent_is_gone(home):
    record = start_ready(home, PARENT)
    os.kill(record.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(record.pid)], timeout=10)
    (orphan,) = members(home, AIRFLOW)
    end([orphan])
    assert members(home, AIRFLOW) == []


def test_only_the_group_and_the_folder_that_are_asked_for_are_found(home, tmp_path):
    start_ready(home, PARENT)
    assert members(home, REGION) == []
    assert members(tmp_path / "with", AIRFLOW) == []


def test_what_other_code_starts_is_marked_meanwhile_and_not_later(home):
    with marked(REGION, home):
        inside = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, start_new_session=True)
        inside.stdout.readline()
    outside = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, start_new_session=True)
    outside.stdout.readline()
    try:
        assert [process.pid for process in members(home, REGION)] == [inside.pid]
    finally:
        outside.kill()
        outside.wait()
        end(members(home, REGION))
        inside.wait()


def test_a_process_id_that_was_given_away_is_not_taken_for_the_process():
    mine = ProcessRecord.of("me", os.getpid())
    assert mine.alive
    assert not dataclasses.replace(mine, started=mine.started - 60).alive
    assert ProcessRecord.from_state(mine.to_state()) == mine


def test_a_port_that_is_listened_on_is_passed_over():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not port_is_free(port)
        assert first_free_port(port) > port


def test_a_port_that_is_given_back_in_a_moment_is_waited_for():
    with socket.socket() as listener, socket.socket() as stays:
        listener.bind(("127.0.0.1", 0))
        stays.bind(("127.0.0.1", 0))
        ports = [listener.getsockname()[1], stays.getsockname()[1]]
        threading.Timer(0.2, listener.close).start()
        assert await_free(ports) == ports[1:]


def test_a_process_whose_first_thread_alone_has_ended_lives():
    exit_of_a_thread = "ctypes.CDLL(None).syscall(60, 0)"
    code = f"import ctypes, signal, threading; threading.Thread(target=signal.pause).start(); {exit_of_a_thread}"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        mine = ProcessRecord.of("half ended", process.pid)
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            assert process.poll() is None
        assert mine.alive
        process.kill()
    assert not mine.alive

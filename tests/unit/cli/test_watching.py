"""Progress: silent for programs, a bar on a terminal, few plain lines elsewhere, and never on stdout."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from dr_lib.cli.bar import Bar
from dr_lib.cli.watching import Lines, watch
from dr_lib.progress import SILENT

PHASE = """
from dr_lib.cli.watching import watch
progress = watch(silent=False)
progress.start(4_000_000, "backup minilm")
progress.advance(4_000_000)
progress.finish()
"""


def test_lines_say_the_start_each_quarter_and_the_end():
    said: list[str] = []
    progress = Lines(said.append)
    progress.start(1000, "backup m")
    for _ in range(10):
        progress.advance(100)
    progress.finish()
    assert said[:4] == ["backup m: 1 kB", "backup m: 25 %, 300 B", "backup m: 50 %, 500 B", "backup m: 75 %, 800 B"]
    assert re.fullmatch(r"backup m: 1 kB in \d+\.\d s, .*/s", said[4])
    assert len(said) == 5


def test_a_new_phase_ends_the_one_before_it_and_finishing_twice_says_nothing_more():
    said: list[str] = []
    progress = Lines(said.append)
    progress.start(0, "plan")
    progress.start(10, "fetch")
    progress.finish()
    progress.finish()
    assert [line.partition(":")[0] for line in said] == ["plan", "plan", "fetch", "fetch"]


def test_many_threads_may_advance():
    said: list[str] = []
    progress = Lines(said.append)
    progress.start(8000, "fetch")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(progress.advance, [1] * 8000))
    progress.finish()
    assert said[-1].startswith("fetch: 8 kB in ")
    assert len(said) == 5


def test_without_a_terminal_there_are_lines_and_for_programs_nothing(capsys):
    assert isinstance(watch(silent=False), Lines)
    assert watch(silent=True) is SILENT


def test_on_a_terminal_a_bar_is_drawn_on_stderr_and_stdout_stays_free():
    master, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-c", PHASE]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        drawn = _read_all(master)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == b""
    assert "backup minilm" in drawn
    assert "4.0/4.0 MB" in drawn


def test_a_bar_that_never_started_can_be_finished():
    Bar().finish()


def _read_all(master: int) -> str:
    drawn = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            part = b""
        if not part:
            os.close(master)
            return drawn.decode()
        drawn += part

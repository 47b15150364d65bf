"""Blocks are run one by one, and what they set stays."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from dr_lib.cli.bash_session import BashSession
from dr_lib.errors import UsageError

ENVIRON = {"PATH": os.environ["PATH"], "HERE": "yes"}


def run(session: BashSession, commands: str) -> tuple[int, str]:
    with tempfile.TemporaryFile() as output:
        code = session.run(commands, stdin=subprocess.DEVNULL, output=output, timeout_s=60)
        output.seek(0)
        return code, output.read().decode()


def test_variables_exports_and_the_directory_stay(tmp_path: Path):
    session = BashSession(tmp_path, ENVIRON)
    assert run(session, "mkdir 'a b'; cd 'a b'; A=\"one\ntwo 'three'\"; export B=\"$HERE\"") == (0, "")
    assert run(session, 'echo "$A"; bash -c \'echo "$B"\'; pwd') == (0, f"one\ntwo 'three'\nyes\n{tmp_path}/a b\n")


@pytest.mark.parametrize(
    ("commands", "code"),
    [("A=2; false; A=3", 1), ("A=2; false | true; A=3", 1), ("A=2; exit 7", 7), ('A=2; echo "$UNKNOWN"', 1)],
)
def test_a_block_ends_at_its_first_failure_and_keeps_what_it_did(tmp_path: Path, commands: str, code: int):
    session = BashSession(tmp_path, ENVIRON)
    run(session, "A=1")
    assert run(session, commands)[0] == code
    assert run(session, 'echo "$A"') == (0, "2\n")


def test_a_block_that_was_killed_changes_nothing(tmp_path: Path):
    session = BashSession(tmp_path, ENVIRON)
    run(session, "A=1")
    assert run(session, "A=2; kill -9 $$")[0] == 137
    assert run(session, 'echo "$A"') == (0, "1\n")


def test_a_block_that_does_not_end_is_killed(tmp_path: Path):
    with pytest.raises(subprocess.TimeoutExpired):
        BashSession(tmp_path, ENVIRON).run("read -r", output=None, timeout_s=0.5, stdin=os.pipe()[0])


def test_nothing_of_a_block_stands_in_an_argument(tmp_path: Path):
    code, said = run(BashSession(tmp_path, ENVIRON), "SECRET=hush; tr '\\0' ' ' </proc/$$/cmdline")
    assert code == 0
    assert "runbook" in said
    assert "hush" not in said


def test_without_bash_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no bash"):
        BashSession(tmp_path, ENVIRON).run("true")

"""What the launcher says of a command is that command's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.peers.measuring import Command, Failed, measure

MIB = 1 << 20


def test_the_peak_is_the_commands_and_not_that_of_who_measures():
    held = bytearray(200 * MIB)
    small = measure(Command(("true",))).peak
    large = measure(Command((sys.executable, "-S", "-c", f"bytearray({100 * MIB})"))).peak
    assert small < 50 * MIB < 100 * MIB < large < len(held)


def test_bytes_read_by_the_command_and_its_children_are_counted(tmp_path: Path):
    (tmp_path / "file").write_bytes(bytes(30 * MIB))
    read = measure(Command(("sh", "-c", "cat file >/dev/null; true"), cwd=tmp_path)).read
    assert 30 * MIB <= read < 31 * MIB


def test_a_command_that_fails_says_what_it_said():
    with pytest.raises(Failed, match=r"ended with 3: .*no luck"):
        measure(Command(("sh", "-c", "echo no luck >&2; exit 3")))


def test_a_tool_sees_no_settings_of_ours_but_those_it_is_given(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RESTIC_REPOSITORY", "/somewhere/precious")
    assert "RESTIC_REPOSITORY" in os.environ
    measure(Command(("sh", "-c", 'test -z "$RESTIC_REPOSITORY" && test "$GIVEN" = yes'), {"GIVEN": "yes"}))

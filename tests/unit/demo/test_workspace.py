"""The demo's folder: state that is whole or old, secrets that only their owner reads."""

from __future__ import annotations

import shlex
import subprocess

from dr_lib.demo.workspace import Workspace


def test_state_comes_back_and_leaves_no_draft(tmp_path):
    demo = Workspace(tmp_path / "a b")
    assert demo.read_state() == {}
    demo.write_state({"pid": 1})
    demo.write_state({"pid": 2})
    assert demo.read_state() == {"pid": 2}
    assert [path.name for path in demo.home.iterdir()] == ["state.json"]


def test_secrets_come_back_as_they_were_and_as_a_shell_reads_them(tmp_path):
    demo = Workspace(tmp_path)
    secrets = {"A": "plain", "B": 'it\'s $HOME "quoted" = #x'}
    demo.write_secrets(secrets)
    assert demo.read_secrets() == secrets
    script = f'. {shlex.quote(str(demo.secrets_file))} && printf %s "$B"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == secrets["B"]


def test_secrets_are_the_owners_alone(tmp_path):
    demo = Workspace(tmp_path)
    demo.write_secrets({"A": "b"})
    assert demo.secrets_file.stat().st_mode & 0o777 == 0o600


def test_the_home_is_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("DR_DEMO_HOME", str(tmp_path / "x"))
    assert Workspace.default().home == tmp_path / "x"
    monkeypatch.delenv("DR_DEMO_HOME")
    monkeypatch.chdir(tmp_path)
    assert Workspace.default().home == tmp_path / ".demo"

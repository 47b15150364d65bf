"""`drctl serving`, `failover` and `failback`: what a person sees, and how the shell is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dr_lib.cli.main import main
from dr_lib.model.serving import Site
from tests.unit.serving.stage import WISH, Stage, outcome, staged


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with staged(tmp_path / "w") as made:
        monkeypatch.setenv("DR_CONFIG", str(made.world.config()))
        monkeypatch.setenv("DR_STANDBY_DIR", str(tmp_path / "standbys"))
        yield made


def run(*words: str) -> int:
    return main(list(words))


def test_status_tells_who_serves_and_fails_when_it_is_not_done_well(stage: Stage, capsys: pytest.CaptureFixture[str]):
    assert run("serving", "status") == 0
    assert "api       primary    healthy  down     free   ok" in capsys.readouterr().out
    stage.toys[Site.PRIMARY].close()
    assert run("serving", "status", "api") == 3
    assert "api: the primary serves and is down: no answer: ConnectError" in capsys.readouterr().out


def test_a_plan_changes_nothing_and_says_what_would_be_refused(stage: Stage, capsys: pytest.CaptureFixture[str]):
    assert run("failover", "api", "--dry-run") == 7
    assert "REFUSED  the primary serves and answers rightly" in capsys.readouterr().out
    assert run("failover", "api", "--dry-run", "--planned") == 0
    assert "primary serves, and would be standby" in capsys.readouterr().out
    assert run("--json", "failback", "api", "--dry-run") == 7
    assert json.loads(capsys.readouterr().out)["objection"] == "the primary serves already"
    assert stage.traffic() == "primary"
    assert not stage.directory(Site.STANDBY).exists()


def test_without_a_reason_or_anybody_to_ask_nothing_is_done(stage: Stage, capsys: pytest.CaptureFixture[str]):
    assert run("failover", "api", "--yes") == 2
    assert "--reason is missing" in capsys.readouterr().err
    assert run("failover", "api", "--reason", "a drill", "--planned") == 2
    assert "nobody can be asked here" in capsys.readouterr().err
    assert stage.traffic() == "primary"


def test_over_and_back_as_a_person_reads_it(stage: Stage, capsys: pytest.CaptureFixture[str]):
    assert run("failover", "api", "--reason", "a drill", "--planned", "--yes") == 0
    told = capsys.readouterr().out
    assert "api from the primary to the standby" in told
    assert "questions were answered rightly meanwhile" in told
    assert "one, two, three" in told
    assert run("failback", "api", "--reason", "it is over", "--yes") == 0
    assert "from the standby to the primary" in capsys.readouterr().out
    assert run("failback", "api", "--reason", "it is over", "--yes") == 0
    assert "the primary serves already; nothing was changed" in capsys.readouterr().out


def test_watching_fails_over_by_itself_where_that_is_allowed(stage: Stage, capsys: pytest.CaptureFixture[str]):
    assert run("serving", "watch", "api", "--act", "--times", "1") == 0
    stage.toys[Site.PRIMARY].close()
    assert run("serving", "watch", "api", "--act", "--times", "2") == 3, "a person is to be asked"
    assert stage.traffic() == "primary"
    stage.change(approval="automatic")
    capsys.readouterr()
    assert run("serving", "watch", "api", "--act") == 0
    assert "api from the primary to the standby" in capsys.readouterr().out
    assert stage.events()[0]["reason"].startswith("by itself: the primary serves and is down")


def test_answers_are_recorded_once(stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    questions, out = tmp_path / "ask.jsonl", tmp_path / "answers.jsonl"
    questions.write_text('{"path": "/ask", "request": {"n": 1}}\n')
    words = ("serving", "record", "api", "--questions", str(questions), "--out", str(out))
    assert run(*words) == 0
    assert json.loads(out.read_text())["answer"]["digest"] == stage.toys[Site.PRIMARY].digest
    assert run(*words) == 7
    assert run(*words, "--site", "elsewhere") == 7
    out.unlink()
    assert run(*words, "--site", "elsewhere") == 5
    assert "primary or standby" in capsys.readouterr().err


def test_an_endpoint_that_is_not_there(stage: Stage, capsys: pytest.CaptureFixture[str]):
    for words in (["serving", "status", "x"], ["failover", "x", "--dry-run"], ["failback", "x", "--dry-run"]):
        assert run(*words) == 5
        assert "no endpoint named 'x'" in capsys.readouterr().err


def test_a_failed_move_has_the_exit_code_of_why(stage: Stage, capsys: pytest.CaptureFixture[str]):
    stage.toys[Site.STANDBY].mood = "wrong"
    assert run("failover", "api", "--reason", "a drill", "--planned", "--yes") == 3
    assert "does not answer rightly" in capsys.readouterr().err
    stage.toys[Site.STANDBY].mood = "well"
    assert isinstance(outcome(stage, replace(WISH, is_planned=True)), dict)

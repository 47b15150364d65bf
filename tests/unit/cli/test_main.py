"""The frame of `drctl`: global options anywhere, one JSON document, errors in plain words, exit codes that mean it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from dr_lib import __version__, errors
from dr_lib.cli.main import COMMANDS, application
from dr_lib.config import ConfigError, Problem

EACH_ERROR = [
    (errors.DrError, 1),
    (errors.UsageError, 2),
    (errors.ObjectiveMissed, 3),
    (errors.IntegrityError, 4),
    (errors.NotFound, 5),
    (errors.StoreUnavailable, 6),
    (errors.OutOfSpace, 6),
    (errors.Refused, 7),
    (errors.SourceUnstable, 8),
]


def test_every_error_class_is_tried_here():
    listed = {error for error, _ in EACH_ERROR}
    family = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.DrError)}
    assert family - listed == {errors.PermissionDenied, errors.AlreadyExists}  # both are `Refused`


@pytest.mark.parametrize(("error", "code"), EACH_ERROR)
def test_an_error_says_what_where_and_next_and_ends_with_its_code(drctl, error, code):
    drctl.runtime.answers["status"] = error("the store is odd", where="region a", hint="look at it")
    assert drctl("status") == code
    assert drctl.out == ""
    assert drctl.err == "error: the store is odd\nwhere: region a\nnext:  look at it\n"


def test_with_json_an_error_is_the_one_document_on_stdout(drctl):
    drctl.runtime.answers["status"] = errors.StoreUnavailable("no answer", where="region a")
    code, document = drctl.json("status", "--json")
    assert code == 6
    assert drctl.err == ""
    assert document == {
        "error": {
            "type": "StoreUnavailable",
            "exit_code": 6,
            "retryable": True,
            "what": "no answer",
            "where": "region a",
            "hint": None,
        }
    }


def test_a_wrong_configuration_shows_every_problem(drctl):
    problems = [Problem(3, "regions.a.url", "bad", "write s3://"), Problem(9, "assets", "worse")]
    drctl.runtime.answers["status"] = ConfigError(Path("/x/dr.yaml"), problems)
    assert drctl("status") == 2
    assert drctl.err.splitlines() == [
        "error: the configuration has 2 problems",
        "where: /x/dr.yaml",
        "  line 3: regions.a.url: bad; write s3://",
        "  line 9: assets: worse",
    ]
    code, document = drctl.json("--json", "status")
    assert code == 2
    assert [problem["line"] for problem in document["error"]["problems"]] == [3, 9]


@pytest.mark.parametrize("arguments", [["--json", "status"], ["status", "--json"], ["--json", "status", "--json"]])
def test_json_is_taken_before_and_after_the_command(drctl, arguments):
    assert drctl.json(*arguments) == (0, drctl.runtime.answers["status"])


@pytest.mark.parametrize("flag", ["--config", "-c"])
def test_the_configuration_is_taken_before_and_after_the_command(drctl, flag):
    drctl(flag, "/x/dr.yaml", "status")
    assert drctl.loaded_from == Path("/x/dr.yaml")
    drctl("status", flag, "/y/dr.yaml")
    assert drctl.loaded_from == Path("/y/dr.yaml")
    drctl("status")
    assert drctl.loaded_from is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["restore", "m"], "Missing option '--to'"),
        (["backup"], "Missing argument 'asset'"),
        (["verify", "--mode", "deep"], "'deep'"),
        (["statsu"], "Did you mean 'status'"),
        (["status", "--no-such-option"], "No such option"),
        (["restore", "m", "--to", "/t", "--at", "2026-01-01", "--point", "x"], "--at and --point contradict"),
    ],
)
def test_a_wrong_command_line_is_exit_2_and_names_the_help(drctl, arguments, says):
    assert drctl(*arguments) == 2
    assert drctl.out == ""
    assert says in drctl.err
    assert "next:" in drctl.err
    code, document = drctl.json(*arguments, "--json")
    assert code == 2
    assert document["error"]["type"] == "UsageError"


def test_an_unexpected_exception_is_a_defect_of_ours_in_one_line(drctl):
    drctl.runtime.answers["status"] = ZeroDivisionError("division by zero")
    assert drctl("status") == 1
    assert drctl.err.splitlines()[0] == "error: this is a defect of drctl: ZeroDivisionError: division by zero"
    assert "Traceback" not in drctl.err


@pytest.mark.parametrize("arguments", [["-v", "status"], ["status", "-v"], ["status", "--verbose"]])
def test_verbose_shows_where_a_defect_arose(drctl, arguments):
    drctl.runtime.answers["status"] = ZeroDivisionError("division by zero")
    assert drctl(*arguments) == 1
    assert "Traceback (most recent call last)" in drctl.err


def test_an_interruption_is_130(drctl):
    drctl.runtime.answers["status"] = KeyboardInterrupt()
    assert drctl("status") == 130


def test_without_a_command_the_help_is_shown(drctl):
    assert drctl("--help") == 0
    assert "Usage: drctl" in drctl.out
    for name in (
        "init",
        "backup",
        "points",
        "replicate",
        "verify",
        "restore",
        "signature",
        "smoke",
        "drill",
        "status",
        "doctor",
        "keys",
        "demo",
    ):
        assert f" {name} " in drctl.out


@pytest.mark.parametrize("arguments", [[], ["demo"]])
def test_a_missing_command_is_exit_2(drctl, arguments):
    assert drctl(*arguments) == 2
    assert "error: a command is missing" in drctl.err


def test_the_version_is_told_alone(drctl):
    assert drctl("--version") == 0
    assert drctl.out == f"{__version__}\n"


def test_help_shows_examples_and_the_global_options(drctl):
    assert drctl("restore", "--help") == 0
    assert "drctl restore minilm --to /srv/minilm" in drctl.out
    assert "--json" in drctl.out


@pytest.mark.parametrize(
    "start", [["-m", "dr_lib.cli"], ["-c", "from dr_lib.cli.main import main; raise SystemExit(main())"]]
)
def test_as_a_process_a_missing_configuration_is_exit_2_with_a_hint(tmp_path, start):
    environment = {key: value for key, value in os.environ.items() if key != "DR_CONFIG"}
    command = [sys.executable, *start, "status", "--json"]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (2, "")
    assert json.loads(result.stdout)["error"]["where"] == str(tmp_path / "dr.yaml")


def test_help_waits_for_nothing_heavy():
    program = "import sys; from dr_lib.cli.main import main; main(['--help']); print('LOADED', *sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    heavy = {"boto3", "obstore", "torch", "airflow", "numpy", "dr_lib.runtime", "dr_lib.config"}
    assert heavy & set(result.stdout.split()) == set()


def test_a_word_that_is_a_command_hides_no_other(drctl):
    assert drctl("--config", "backup", "restore") == 2
    assert "Missing argument 'asset'" in drctl.err


@pytest.mark.parametrize("words", [(), ("--help",), ("backup", "--help"), ("--help", "backup")])
def test_help_knows_every_command(words):
    known = typer.main.get_command(application(words)).commands
    assert {*known} == {module.__name__.rpartition(".")[2] for module in COMMANDS}


def test_completion_offers_the_commands():
    environment = {**os.environ, "_DRCTL_COMPLETE": "complete_bash", "COMP_WORDS": "drctl re", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "dr_lib.cli"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert set(result.stdout.split()) == {"recover", "replicate", "restore"}

"""Every runbook is followed to the letter in a world of its own: its commands, exit codes and outputs are real."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from dr_lib.cli.main import application
from dr_lib.runbooks.folder import BESIDE_THE_CODE as FOLDER
from dr_lib.runbooks.text import read
from tests.runbooks.named_commands import drctl_calls
from tests.runbooks.runbook_reader import Reader
from tests.runbooks.runbook_world import WORLDS, RunbookWorld

RUNBOOKS = sorted(FOLDER.glob("*.md"))
SECTIONS = ("You are here because", "Decide", "Keep, and tell")
runbook_of = pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)


def test_there_is_a_world_for_every_runbook_and_a_runbook_for_every_world():
    assert {path.stem for path in RUNBOOKS} == set(WORLDS)


@runbook_of
def test_it_can_be_followed_to_the_letter(path: Path, world_of: Callable[[str], RunbookWorld]):
    reader = Reader(read(path), world_of(path.stem))
    reader.follow()
    fences = [number for number, line in enumerate(path.read_text().splitlines(), 1) if "```sh" in line]
    assert reader.executed == fences


@runbook_of
def test_it_says_why_to_decide_and_whom_to_tell(path: Path):
    text = path.read_text()
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert (headings[0], headings[1], headings[-1]) == SECTIONS
    decide = text.split("## Decide\n")[1].split("\n## ")[0]
    assert [line[:2] for line in decide.splitlines() if line.strip()] == ["1.", "2.", "3.", "4.", "5."]


@runbook_of
def test_it_shows_what_success_looks_like(path: Path):
    runbook = read(path)
    steps = [step for step in runbook.steps if step in runbook.blocks("sh") + runbook.blocks("text")]
    telling = [
        block
        for block in runbook.blocks("sh")
        if any(f"drctl {word}" in block.text for word in ("restore", "drill", "smoke", "failover"))
    ]
    assert telling
    for block in telling:
        assert steps[steps.index(block) + 1] in runbook.blocks("text"), f"line {block.line} shows no output"


@runbook_of
def test_every_command_and_option_that_it_names_exists(path: Path):
    calls = drctl_calls(read(path))
    assert calls
    for words in calls:
        assert not unknown_words(words), f"drctl {' '.join(words)}: there is no {unknown_words(words)}"


def unknown_words(words: list[str]) -> list[str]:
    """The command and options of a call that drctl does not have. `--json` and its like may stand before a command."""
    group = typer.main.get_command(application(()))
    commands = dict(group.commands)
    named = [word for word in words if not word.startswith("-")]
    command = commands.get(named[0]) if named else group
    if command is None:
        return named[:1]
    if subcommands := getattr(command, "commands", None):
        command = subcommands.get(named[1]) if len(named) > 1 else command
        if command is None:
            return named[1:2]
    known = {option for parameter in (*command.params, *group.params) for option in parameter.opts}
    return [word for word in words if word.startswith("-") and word.split("=")[0] not in known]

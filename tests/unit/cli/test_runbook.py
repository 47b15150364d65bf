"""`drctl runbook`: a list, a text, a document; and at a terminal a walk that runs nothing without a yes."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dr_lib.cli.runbook_walk import is_sensitive
from tests.unit.cli.conftest import Drctl

TEXT = """# The roof leaks

## You are here because

- water **drips**

## 1. Set the names

```sh fill-in
ROOF=/srv/roof
ROOF_SECRET_KEY=8b1f…
```

<!-- world: it rains -->

```sh exit=3
cd "$ROOF"
echo "secret of ${#ROOF_SECRET_KEY}" letters
(exit 3)
```

You see:

```text
secret of 4 letters
```

```yaml add-to=assets
roof: {}
```

## 2. Mend it

```sh
pwd
test -e mended
```

## Keep, and tell

Everybody.
"""
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x1b]*\x1b\\)")
SECONDS = 30
PROGRAM = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # an interrupt goes to whom this terminal belongs to
from dr_lib.cli.__main__ import run
run()
"""


@pytest.fixture
def roof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "roof.md").write_text(TEXT)
    (folder / "cellar.md").write_text("# The cellar is flooded\n")
    monkeypatch.setenv("DR_RUNBOOKS", str(folder))
    return tmp_path


class Terminal:
    """`drctl runbook roof` at a terminal of its own, where somebody reads and types."""

    def __init__(self, folder: Path) -> None:
        self._end, other = pty.openpty()
        self.said = ""
        self._read = 0
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "runbook", "roof"],
            cwd=folder,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": str(Path(__file__).parents[3])},
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)

    def until(self, text: str) -> None:
        """Read on until the text stands there, after what was read before."""
        while text not in self.said[self._read :]:
            assert self._more(), f"{text!r} does not come:\n{self.said[self._read :]}"
        self._read = self.said.index(text, self._read) + len(text)

    def type(self, line: str, *, end: str = "\n") -> None:
        os.write(self._end, f"{line}{end}".encode())

    def answer(self, question: str, line: str) -> None:
        self.until(question)
        self.type(line)

    def code(self) -> int:
        while self._more():
            """The end is not there yet."""
        return self._process.wait(SECONDS)

    def close(self) -> None:
        self._process.kill()
        self._process.wait(SECONDS)
        os.close(self._end)

    def _more(self) -> bool:
        if not select.select([self._end], [], [], SECONDS)[0]:
            return False
        try:
            data = os.read(self._end, 65536)
        except OSError:  # the other end was closed by everybody
            return False
        self.said += ESCAPES.sub("", data.decode(errors="replace")).replace("\r", "")
        return bool(data)


@pytest.fixture
def terminal(roof: Path) -> Iterator[Terminal]:
    there = Terminal(roof)
    yield there
    there.close()


def fill_in(terminal: Terminal, roof: Path) -> None:
    terminal.answer("Read? Enter goes on", "")
    terminal.answer("Set them? [e]dit, [y]es, [s]kip, [q]uit", "edit")
    terminal.answer("ROOF [/srv/roof]: ", str(roof))
    terminal.answer("ROOF_SECRET_KEY [8b1f…]: ", "hush")
    terminal.until("ROOF_SECRET_KEY=(not shown)")


def test_without_a_name_all_are_listed(drctl: Drctl, roof: Path):
    assert drctl("runbook") == 0
    lines = [line.split(maxsplit=1) for line in drctl.out.splitlines()]
    assert [[name, title.strip()] for name, title in lines[1:]] == [
        ["cellar", "The cellar is flooded"],
        ["roof", "The roof leaks"],
    ]
    assert drctl.json("--json", "runbook")[1]["runbooks"][1] == {"runbook": "roof", "title": "The roof leaks"}
    assert drctl.loaded_from is None


def test_where_no_terminal_is_the_text_is_printed_and_nothing_run(drctl: Drctl, roof: Path):
    assert drctl("runbook", "roof") == 0
    assert drctl.out.rstrip("\n") == TEXT.replace("<!-- world: it rains -->\n", "").rstrip("\n")


def test_the_document_says_what_is_read_typed_seen_and_written(drctl: Drctl, roof: Path):
    code, document = drctl.json("runbook", "roof", "--json")
    assert (code, document["runbook"], document["title"]) == (0, "roof", "The roof leaks")
    steps = [step for step in document["steps"] if step["kind"] != "prose"]
    assert [step["kind"] for step in steps] == ["fill-in", "commands", "output", "write", "commands"]
    assert steps[0]["names"] == {"ROOF": "/srv/roof", "ROOF_SECRET_KEY": "8b1f…"}
    assert (steps[1]["exit"], steps[1]["section"]) == (3, "1. Set the names")
    assert (steps[3]["into"], steps[3]["instead"]) == ("assets", False)


def test_a_name_that_is_not_there_is_answered_with_the_nearest(drctl: Drctl, roof: Path):
    assert drctl("runbook", "rof") == 5
    assert "did you mean roof? there are: cellar, roof" in drctl.err


def test_without_runbooks_it_says_so(drctl: Drctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DR_RUNBOOKS", str(tmp_path / "gone"))
    assert drctl("runbook") == 5
    assert "there are no runbooks here" in drctl.err


@pytest.mark.parametrize(
    ("name", "expected"),
    [("BARE_SECRET_ACCESS_KEY", True), ("NEW_ACCESS_KEY_ID", True), ("DB_PASSWORD", True), ("ASSET", False)],
)
def test_names_of_secrets_are_known(name: str, *, expected: bool):
    assert is_sensitive(name) is expected


def test_a_walk_fills_in_runs_compares_and_repeats(terminal: Terminal, roof: Path):
    fill_in(terminal, roof)
    terminal.answer("Set them?", "y")
    terminal.until("It ended well.")
    terminal.until("These commands would be run:")
    terminal.answer("It should end with exit code 3.", "y")
    terminal.until("secret of 4 letters")
    terminal.until("It ended with exit code 3, as it should.")
    terminal.until("What to see")
    terminal.until("under assets:")
    terminal.answer("Done? Enter goes on", "")
    terminal.answer("Run them?", "yes")
    terminal.until(f"{roof}\n")  # the directory of the block before
    terminal.until("It ended with exit code 1, not 0")
    (roof / "mended").touch()
    terminal.answer("What now? [g]o on, [r]epeat, [q]uit", "repeat")
    terminal.until("These commands would be run:")
    terminal.answer("Run them?", "y")
    terminal.until("It ended well.")
    terminal.until("Everybody.")
    assert terminal.code() == 0
    assert "roof: 4 run, 0 skipped, of 3 to run" in terminal.said
    assert "hush" not in terminal.said


def test_nothing_is_run_without_a_yes(terminal: Terminal, roof: Path):
    fill_in(terminal, roof)
    terminal.answer("Set them?", "")
    terminal.answer("Answer with [e]dit, [y]es", "")
    terminal.answer("Answer with [e]dit, [y]es", "s")
    terminal.answer("Run them?", "of course")
    terminal.answer("Answer with [y]es, [s]kip, [q]uit", "skip")
    terminal.answer("Done?", "")
    terminal.answer("Run them?", "quit")
    assert terminal.code() == 0
    assert "roof: 0 run, 2 skipped, of 3 to run" in terminal.said
    assert "secret of 4" not in terminal.said.split("What to see")[0]


def test_a_value_that_nobody_can_guess_has_to_be_put_in(terminal: Terminal):
    terminal.answer("Read?", "")
    terminal.answer("Set them?", "y")
    terminal.answer("Nobody can guess ROOF_SECRET_KEY", "q")
    assert terminal.code() == 0


def test_the_end_of_the_input_is_a_quit_and_an_interrupt_at_a_question_ends_it(terminal: Terminal):
    terminal.until("Read?")
    terminal.type("\x04", end="")
    assert terminal.code() == 0
    assert "roof: 0 run, 0 skipped" in terminal.said


def test_an_interrupt_is_the_blocks_and_the_walk_goes_on(roof: Path):
    (roof / "runbooks" / "roof.md").write_text("# A\n\n## B\n\n```sh\ntail -f begun\n```\n\nThe end.\n")
    (roof / "begun").write_text("it began\n")
    terminal = Terminal(roof)
    try:
        terminal.answer("Run them?", "y")
        terminal.until("it began")
        terminal.type("\x03", end="")
        terminal.until("It ended with exit code 130, not 0")
        terminal.answer("What now?", "go on")
        terminal.until("The end.")
        assert terminal.code() == 0
    finally:
        terminal.close()

"""A walk through a runbook at a terminal: a section is shown, each block is offered, and only a yes runs it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from dr_lib.runbooks.text import Block, Prose, Runbook, Section

if TYPE_CHECKING:
    from rich.console import Console

YES, SKIP, EDIT, REPEAT, GO_ON, QUIT = "yes", "skip", "edit", "repeat", "go on", "quit"
_SENSITIVE: Final = ("SECRET", "KEY_ID", "ACCESS", "PASSWORD")
_UNSAID: Final = "…"
"""Stands in a value that nobody can guess."""
_OWN: Final = "DR_"
"""Begins the names whose value is taken from the environment, where it is set."""


class Shell(Protocol):
    """What runs the blocks, and keeps names and directory from one to the next."""

    def run(self, commands: str) -> int:
        """The exit code of a block, whose output was shown as it came."""


class Left(Exception):
    """The reader left before the end."""


@dataclass(slots=True)
class Walk:
    """One reader's way through one runbook. `values` are those that the reader put in; no secret of them is printed."""

    runbook: Runbook
    console: Console
    shell: Shell
    environ: Mapping[str, str]
    ask: Callable[[str], str] = input
    ask_unseen: Callable[[str], str] = getpass
    values: dict[str, str] = field(default_factory=dict)
    ran: int = 0
    skipped: int = 0

    def go(self) -> None:
        """From the first section to the last, or to where the reader leaves."""
        try:
            for section in self.runbook.sections:
                self._read(section)
        except (Left, EOFError):
            self.console.print()
        blocks = f"{self.ran} run, {self.skipped} skipped, of {len(self.runbook.blocks('sh'))} to run"
        self.console.print(f"{self.runbook.path.stem}: {blocks}")

    def _read(self, section: Section) -> None:
        from rich.markdown import Markdown

        stops = 0
        for part in section.parts:
            if isinstance(part, Prose):
                self.console.print(Markdown(part.text, hyperlinks=False), "")
            elif isinstance(part, Block):
                {"sh": self._offer, "text": self._compare, "yaml": self._write}[part.language](part)
                stops += part.language != "text"
        if section.heading and not stops and section is not self.runbook.sections[-1]:
            self._pause("Read?")

    def _offer(self, block: Block) -> None:
        offer = self._fill_in if block.is_fill_in else self._type
        while not offer(block):
            """Again: the reader wants to repeat it."""

    def _type(self, block: Block) -> bool:
        self._show("These commands would be run:", block.text, "bash")
        should = f" It should end with exit code {block.exit_code}." if block.exit_code else ""
        if self._choose(f"Run them?{should}", YES, SKIP, QUIT) == SKIP:
            self.skipped += 1
            return True
        return self._run(block, block.text)

    def _fill_in(self, block: Block) -> bool:
        said = {name: self.values.get(name) or self._hint(name, shown) for name, shown in block.names}
        shown = "".join(f"{name}={self._told(name, said[name], there)}\n" for name, there in block.names)
        self._show("These names would be set:", shown, "bash")
        answer = self._choose("Set them?", EDIT, YES, SKIP, QUIT)
        if answer == SKIP:
            self.skipped += 1
            return True
        if answer == EDIT:
            self.values |= {name: self._edited(name, said[name], there) for name, there in block.names}
            return False
        if missing := [name for name, value in said.items() if _UNSAID in value]:
            self.console.print(f"Nobody can guess {', '.join(missing)}: edit it first.")
            return False
        home = {name: str(Path(value).expanduser()) if value.startswith("~") else value for name, value in said.items()}
        return self._run(block, "".join(f"{name}={shlex.quote(value)}\n" for name, value in home.items()))

    def _run(self, block: Block, commands: str) -> bool:
        """Whether the reader is done with the block."""
        code = self.shell.run(commands)
        self.ran += 1
        self.console.print()
        if code == block.exit_code:
            self.console.print("It ended well." if code == 0 else f"It ended with exit code {code}, as it should.", "")
            return True
        self.console.print(f"It ended with exit code {code}, not {block.exit_code} as the runbook says.")
        return self._choose("What now?", GO_ON, REPEAT, QUIT) == GO_ON

    def _compare(self, block: Block) -> None:
        self._show("What to see, with figures of your own:", block.text, "text")

    def _write(self, block: Block) -> None:
        instead = "Or, instead of it" if block.is_alternative else "To be written into dr.yaml by you"
        self._show(f"{instead}, under {block.section}:", block.text, "yaml")
        self._pause("Done?")

    def _hint(self, name: str, shown: str) -> str:
        return (self.environ.get(name) if name.startswith(_OWN) else None) or shown

    def _edited(self, name: str, value: str, shown: str) -> str:
        """What the reader puts in; the value that there is when that is nothing."""
        unseen = is_sensitive(name) and not shown.startswith(("/", "~"))
        said = (self.ask_unseen if unseen else self.ask)(f"  {name} [{self._told(name, value, shown)}]: ")
        return said.strip() or value

    def _told(self, name: str, value: str, shown: str) -> str:
        return "(not shown)" if is_sensitive(name) and value != shown else value

    def _show(self, what: str, text: str, language: str) -> None:
        from rich.padding import Padding
        from rich.syntax import Syntax

        self.console.print(what)
        code = Syntax(text.rstrip("\n"), language, theme="ansi_dark", background_color="default", word_wrap=True)
        self.console.print(Padding(code, (0, 0, 1, 4)))

    def _pause(self, question: str) -> None:
        self._choose(f"{question} Enter goes on.", "", QUIT)
        self.console.print()

    def _choose(self, question: str, *answers: str) -> str:
        """The answer that was given, by its first letters; asks until there is one. `Left` for `quit`."""
        offered = ", ".join(f"[{word[0]}]{word[1:]}" for word in answers if word)
        while True:
            said = self.ask(f"{question} {offered}: ").strip().lower()
            for word in answers:
                if word == said or (said and word.startswith(said)):
                    if word == QUIT:
                        raise Left
                    return word
            self.console.print(f"Answer with {offered}.")


def is_sensitive(name: str) -> bool:
    """Whether a value of that name may be a secret, and is never printed."""
    return any(word in name for word in _SENSITIVE)

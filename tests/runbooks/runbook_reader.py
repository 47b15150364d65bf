"""Somebody who does what a runbook says, to the letter, and compares what comes with what it shows."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Any

import yaml

from dr_lib.config import load_config
from dr_lib.runbooks.text import Block, Event, Runbook, RunbookError
from tests.runbooks.runbook_world import RunbookWorld
from tests.runbooks.shown_output import missing_line


@dataclass
class Reader:
    """Reads one runbook in one world; `executed` are the lines of the blocks that were typed."""

    runbook: Runbook
    world: RunbookWorld
    executed: list[int] = field(default_factory=list)
    _seen: str | None = None

    def follow(self) -> None:
        """Do every step; `RunbookError` names the line of the first that does not hold."""
        for step in self.runbook.steps:
            if isinstance(step, Event):
                self.world.happen(step.what)
            else:
                {"sh": self._type, "text": self._compare, "yaml": self._write}[step.language](step)

    def _type(self, block: Block) -> None:
        commands = self._filled_in(block) if block.is_fill_in else block.text
        code, said = self.world.session.run(commands)
        if code != block.exit_code:
            raise self._wrong(block, f"ended with exit code {code}, not {block.exit_code}:\n{said}")
        self._seen = self.world.as_shown(said)
        self.executed.append(block.line)

    def _filled_in(self, block: Block) -> str:
        pairs = block.names
        missing = [name for name, _ in pairs if self.world.value(name) is None]
        if missing:
            raise self._wrong(block, f"asks for {missing}, which this world does not have")
        self.world.paths |= {shown: self.world.value(name) or "" for name, shown in pairs if shown.startswith("/")}
        return "".join(f"{name}={shlex.quote(self.world.value(name) or '')}\n" for name, _ in pairs)

    def _compare(self, block: Block) -> None:
        if self._seen is None:
            raise self._wrong(block, "shows what is seen of no command")
        line = missing_line(block.text, self._seen)
        if line is not None:
            raise self._wrong(block, f"shows a line that is not there:\n{line}\nThere is:\n{self._seen}")
        self._seen = None

    def _write(self, block: Block) -> None:
        before = self.world.config.read_text()
        self.world.add(block.section, block.text)
        if block.is_alternative:
            added: dict[str, Any] = yaml.safe_load(block.text)
            if not set(added) <= set(getattr(load_config(self.world.config), block.section)):
                raise self._wrong(block, f"adds nothing to {block.section}")
            self.world.config.write_text(before)

    def _wrong(self, block: Block, what: str) -> RunbookError:
        return RunbookError(f"{self.runbook.path.name}:{block.line}: this block {what}")

"""What a runbook holds for a machine: blocks to type, output to expect, and what the world does in between.

- ```` ```sh ```` is typed into one shell session, in order; ```` ```sh exit=3 ```` says how its last command ends.
- ```` ```sh fill-in ```` sets names; a reader puts values of their own in their place, and so does the test.
- ```` ```text ```` is what the reader sees of the block above it; a line `…` stands for anything.
- ```` ```yaml add-to=assets ```` is what the reader writes into dr.yaml; `checked-as=assets` is an alternative to it.
- `<!-- world: region us-east stops -->` happens without the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>\S.*)?$")
EVENT = re.compile(r"^\s*<!-- world: (?P<what>.+) -->$")
KNOWN = {"sh": {"fill-in", "exit"}, "text": set(), "yaml": {"add-to", "checked-as"}}


class RunbookError(AssertionError):
    """A runbook that breaks the convention above."""


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its fence."""

    language: str
    attributes: dict[str, str]
    text: str
    line: int

    @property
    def exit_code(self) -> int:
        """How the last command of a block of commands must end."""
        return int(self.attributes.get("exit", "0"))


@dataclass(frozen=True)
class Event:
    """Something that happens to the world between two blocks."""

    what: str
    line: int


@dataclass(frozen=True)
class Runbook:
    """A runbook's steps in order, and its prose without the blocks."""

    path: Path
    steps: tuple[Block | Event, ...]
    prose: str

    def blocks(self, language: str) -> list[Block]:
        """Its blocks of one language."""
        return [step for step in self.steps if isinstance(step, Block) and step.language == language]


def read(path: Path) -> Runbook:
    """Parse a runbook; `RunbookError` names the line that breaks the convention."""
    lines = path.read_text().splitlines()
    steps, prose = [], []
    numbered = iter(enumerate(lines, 1))
    for number, line in numbered:
        if fence := FENCE.match(line):
            steps.append(_block(fence, number, numbered))
        elif event := EVENT.match(line):
            steps.append(Event(event["what"], number))
        else:
            prose.append(line)
    return Runbook(path, tuple(steps), "\n".join(prose))


def _block(fence: re.Match[str], start: int, numbered: Iterator[tuple[int, str]]) -> Block:
    language, *words = (fence["info"] or "").split()
    attributes = dict((*word.split("=", 1), "")[:2] for word in words)
    if not set(attributes) <= KNOWN.get(language, set()) or language not in KNOWN:
        raise RunbookError(f"line {start}: a block of the kind {fence['info']!r} is not known")
    text = []
    for _, line in numbered:
        if line.strip() == "```":
            return Block(language, attributes, "\n".join(text) + "\n", start)
        text.append(line.removeprefix(fence["indent"]))
    raise RunbookError(f"line {start}: this block has no end")


def drctl_calls(runbook: Runbook) -> list[list[str]]:
    """The words after every `drctl` in commands and in code of the prose, up to where the command ends."""
    code = [block.text.replace("\\\n", " ") for block in runbook.blocks("sh")]
    code += re.findall(r"`([^`\n]+)`", runbook.prose)
    calls = (found for text in code for found in re.findall(r"\bdrctl\b([^|;&>\n#]*)", text))
    return [call.split() for call in calls]

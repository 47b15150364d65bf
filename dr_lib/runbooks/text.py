"""What a runbook holds for a machine: prose, blocks to type, output to expect, and what the world does in between.

- ```` ```sh ```` is typed into one shell session, in order; ```` ```sh exit=3 ```` says how its last command ends.
- ```` ```sh fill-in ```` sets names; a reader puts values of their own in their place.
- ```` ```text ```` is what the reader sees of the block above it; a line `…` stands for anything.
- ```` ```yaml add-to=assets ```` is what the reader writes into dr.yaml; `checked-as=assets` is an alternative to it.
- `<!-- world: region us-east stops -->` happens without the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dr_lib.errors import UsageError

FILL_IN: Final = "fill-in"
_FENCE: Final = re.compile(r"^(?P<indent> *)```(?P<info>\S.*)?$")
_EVENT: Final = re.compile(r"^\s*<!-- world: (?P<what>.+) -->$")
_SECTION: Final = re.compile(r"^## (?P<heading>.+)$", re.MULTILINE)
_TITLE: Final = re.compile(r"^# (?P<title>.+)$", re.MULTILINE)
_NAME: Final = re.compile(r"^(?P<name>[A-Z_]+)=(?P<shown>\S+)$", re.MULTILINE)
_KNOWN: Final[dict[str, frozenset[str]]] = {
    "sh": frozenset({FILL_IN, "exit"}),
    "text": frozenset(),
    "yaml": frozenset({"add-to", "checked-as"}),
}


class RunbookError(UsageError):
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

    @property
    def is_fill_in(self) -> bool:
        """Whether the reader puts in values of their own."""
        return FILL_IN in self.attributes

    @property
    def section(self) -> str:
        """Of lines for dr.yaml: the section that they stand in."""
        return self.attributes.get("add-to") or self.attributes.get("checked-as", "")

    @property
    def is_alternative(self) -> bool:
        """Of lines for dr.yaml: whether they are written instead of the ones before."""
        return "checked-as" in self.attributes

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Of a block to fill in: each name and the value that is shown for it."""
        return tuple(_NAME.findall(self.text))


@dataclass(frozen=True)
class Event:
    """Something that happens to the world between two blocks."""

    what: str
    line: int


@dataclass(frozen=True)
class Prose:
    """Markdown between two blocks; `line` is its first."""

    text: str
    line: int


Part = Prose | Block | Event


@dataclass(frozen=True)
class Section:
    """A heading and all that stands below it up to the next one; the first section has none, and the title in it."""

    heading: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Runbook:
    """A runbook in the order in which it is read."""

    path: Path
    title: str
    sections: tuple[Section, ...]

    @property
    def steps(self) -> tuple[Block | Event, ...]:
        """Its blocks and events in order, without the prose."""
        return tuple(part for section in self.sections for part in section.parts if not isinstance(part, Prose))

    @property
    def plain(self) -> str:
        """Its text as a person reads it, without what happens to the world."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return "\n".join(line for line in lines if not _EVENT.match(line))

    @property
    def prose(self) -> str:
        """Its prose without the blocks."""
        parts = (part for section in self.sections for part in section.parts)
        return "\n".join(part.text for part in parts if isinstance(part, Prose))

    def blocks(self, language: str) -> list[Block]:
        """Its blocks of one language."""
        return [step for step in self.steps if isinstance(step, Block) and step.language == language]


def read(path: Path) -> Runbook:
    """Parse a runbook; `RunbookError` names the line that breaks the convention."""
    text = path.read_text(encoding="utf-8")
    title = _TITLE.search(text)
    if title is None:
        raise RunbookError("a runbook begins with its title", where=str(path), hint="write `# What happened`")
    sections: list[tuple[str, list[Part]]] = [("", [])]
    for part in _parts(text, path):
        if isinstance(part, Prose) and (found := _SECTION.match(part.text)):
            sections.append((found["heading"], []))
        sections[-1][1].append(part)
    return Runbook(path, title["title"], tuple(Section(heading, tuple(parts)) for heading, parts in sections))


def _parts(text: str, path: Path) -> Iterator[Part]:
    """Its parts in order; prose ends before each heading of a section, so that it begins one."""
    prose: list[str] = []
    since = 1
    numbered = iter(enumerate(text.splitlines(), 1))
    for number, line in numbered:
        fence, event = _FENCE.match(line), _EVENT.match(line)
        if fence or event or _SECTION.match(line):
            yield from _prose(prose, since)
            prose, since = [], number
        if fence:
            yield _block(fence, number, numbered, path)
        elif event:
            yield Event(event["what"], number)
        else:
            prose.append(line)
    yield from _prose(prose, since)


def _prose(lines: list[str], since: int) -> Iterator[Prose]:
    if any(line.strip() for line in lines):
        yield Prose("\n".join(lines).strip("\n"), since)


def _block(fence: re.Match[str], start: int, numbered: Iterator[tuple[int, str]], path: Path) -> Block:
    where = f"{path.name}:{start}"
    language, *words = (fence["info"] or "").split()
    attributes = dict((*word.split("=", 1), "")[:2] for word in words)
    if language not in _KNOWN or not set(attributes) <= _KNOWN[language]:
        known = "; ".join(" ".join((name, *sorted(found))) for name, found in _KNOWN.items())
        raise RunbookError(f"a block of the kind {fence['info']!r} is not known", where=where, hint=f"known: {known}")
    text: list[str] = []
    for _, line in numbered:
        if line.strip() == "```":
            block = Block(language, attributes, "\n".join(text) + "\n", start)
            _refuse_other_lines(block, where)
            return block
        text.append(line.removeprefix(fence["indent"]))
    raise RunbookError("this block has no end", where=where, hint="end it with a line of three backticks")


def _refuse_other_lines(block: Block, where: str) -> None:
    if block.is_fill_in and "".join(f"{name}={shown}\n" for name, shown in block.names) != block.text:
        raise RunbookError("this block holds more than NAME=value lines", where=where, hint="put the rest below it")

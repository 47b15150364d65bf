"""What is wrong with a configuration, said so that a person can mend it without reading anything else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dr_lib.errors import UsageError

Location = tuple[str | int, ...]
"""Keys and list positions from the top of the document down to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `line` counts from 1; `field` is dotted, empty for the whole document; `right` is what would be."""

    line: int
    field: str
    what: str
    right: str = ""

    def __str__(self) -> str:
        """`line 12: assets.minilm.schedule: what is wrong; what would be right`."""
        field = f"{self.field}: " if self.field else ""
        right = f"; {self.right}" if self.right else ""
        return f"line {self.line}: {field}{self.what}{right}"


class ConfigError(UsageError):
    """The configuration is refused whole. `problems` holds every mistake, by line; its text has one line for each."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        """Nothing of a secret may stand in a problem: it is printed and logged."""
        self.path = path
        self.problems = tuple(sorted(set(problems)))
        count = f"{len(self.problems)} problems" if len(self.problems) > 1 else "a problem"
        super().__init__(f"the configuration has {count}", where=str(path))

    def __str__(self) -> str:
        """The count and the file, then one line for each problem."""
        return "\n".join([super().__str__(), *(f"  {self.path.name} {problem}" for problem in self.problems)])


def dotted(location: Location) -> str:
    """`assets.minilm.regions[1]` for a location."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What would be right in place of an unknown `word`: the closest of `known`, or all of them."""
    choices = list(known)
    close = get_close_matches(word, choices, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(choices) or 'none'}"

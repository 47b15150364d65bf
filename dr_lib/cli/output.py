"""Answers and errors: one JSON document on stdout, or words and tables for a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dr_lib.errors import DrError

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Output:
    """Where the answer of one command goes."""

    as_json: bool

    def show(self, document: Any, render: Callable[[Console], None]) -> None:
        """Print `document` as JSON, or let `render` tell it to a person."""
        if self.as_json:
            print_json(document)
        else:
            render(console())


def console(*, stderr: bool = False) -> Console:
    """A console that prints what it is given: square brackets and numbers mean nothing special."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_json(document: Any) -> None:
    """The one JSON document of a run."""
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
    sys.stdout.flush()


def error_document(error: DrError) -> dict[str, Any]:
    """An error for machines; `problems` only when a configuration is wrong."""
    facts: dict[str, Any] = {
        "type": type(error).__name__,
        "exit_code": error.exit_code,
        "retryable": error.retryable,
        "what": error.what,
        "where": error.where,
        "hint": error.hint,
    }
    if _problems(error):
        facts["problems"] = [asdict(problem) for problem in _problems(error)]
    return {"error": facts}


def _problems(error: DrError) -> tuple[Any, ...]:
    """Those of a `ConfigError`, whose module is too slow to import for a message that may not need it."""
    found: tuple[Any, ...] = getattr(error, "problems", ())
    return found


def tell_error(error: DrError) -> None:
    """What is wrong, where, and what to do next, on stderr."""
    lines = [f"error: {error.what}"]
    if error.where is not None:
        lines.append(f"where: {error.where}")
    lines += [f"  {problem}" for problem in _problems(error)]
    if error.hint is not None:
        lines.append(f"next:  {error.hint}")
    print("\n".join(lines), file=sys.stderr)

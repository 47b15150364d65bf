"""The file of golden inputs that an asset names: JSON lines, `{"input": …}` or `{"input": …, "output": […]}`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dr_lib.errors import NotFound, UsageError
from dr_lib.model.smoke import TAKE_TEXTS, WITHOUT_INFERENCE
from dr_lib.standby.smoke.sentences import SENTENCES

_HINT: Final = 'write {"input": "…"}, one a line'


@dataclass(frozen=True, slots=True)
class GoldenInputs:
    """What is asked, and for each input the output that is known to be right; None where the live model's counts."""

    inputs: list[Any]
    expected: list[list[float] | None]


def golden_inputs(path: Path | None, loader: str) -> GoldenInputs:
    """What the file says; for None the sentences that ship with the program, where the loader takes texts.

    An input is a text, or numbers (token ids) or an object of them. `NotFound` (5) for a file that cannot be read,
    `UsageError` (2) naming the line for one that says nothing, or something else.
    """
    if path is None:
        inputs = _shipped(loader)
        return GoldenInputs(inputs, [None] * len(inputs))
    lines = read_named(path, "golden inputs").splitlines()
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    found = [_parsed(line, where=f"{path}:{number}") for number, line in numbered]
    if not found:
        raise UsageError("the golden file holds no input", where=str(path), hint='write {"input": "…"} lines')
    return GoldenInputs([one[0] for one in found], [one[1] for one in found])


def _shipped(loader: str) -> list[Any]:
    if loader == WITHOUT_INFERENCE:
        return ["every tensor"]
    if loader not in TAKE_TEXTS:
        hint = 'add `golden: inputs.jsonl`, with {"input": …} a line'
        raise UsageError(f"the loader {loader} takes no texts, and no golden file says what to ask", hint=hint)
    return list(SENTENCES)


def read_named(path: Path, name: str) -> bytes:
    """The bytes of a file that the configuration names; `NotFound` (5) when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        hint = "correct the path in the configuration"
        raise NotFound(f"cannot read the file of {name} ({error.strerror})", where=str(path), hint=hint) from error


def _parsed(line: bytes, where: str) -> tuple[Any, list[float] | None]:
    try:
        document = json.loads(line)
        asked, output = document["input"], document.get("output")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("not a golden input", where=where, hint=_HINT) from error
    if not isinstance(asked, str | list | dict) or not asked:
        raise UsageError("a golden input is no text, list of numbers or object of them", where=where, hint=_HINT)
    if output is not None and not _is_row(output):
        raise UsageError("a golden output is not a list of numbers", where=where, hint='write "output": [0.1, …]')
    return asked, output


def _is_row(output: object) -> bool:
    return (
        isinstance(output, list)
        and bool(output)
        and all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in output)
    )

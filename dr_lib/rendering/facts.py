"""What a page shows, taken from a statement: texts made harmless, figures spelled, nothing left out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LONGEST: Final = 2_000
"""Characters of one text; what is longer is cut, and says so."""
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class PastPoint:
    """One drill of the trend. `predicted_s` is what was foretold of it."""

    drill: str
    finished_at: str
    scenario: str
    verdict: str
    rto_s: float | None
    rpo_s: float | None
    predicted_s: float | None

    @property
    def off_by(self) -> str:
        """By how much of what was measured the forecast was off; empty where one of them is missing."""
        if self.predicted_s is None or not self.rto_s:
            return ""
        return f"{(self.predicted_s - self.rto_s) / self.rto_s:+.0%}"


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page: the `statement`'s predicate, how it was `proven` (digest, signers, chain, locks), and the drills before
    it, oldest first and this one last. `notes` are what the proof could not tell."""

    predicate: Mapping[str, Any]
    proven: Mapping[str, Any]
    past: Sequence[PastPoint]
    notes: Sequence[str]
    made_at: str


def harmless(value: Any) -> Any:
    """The same values with texts that can be written and shown: no control characters, no lone surrogates, not
    endless. Escaping is the template's."""
    if isinstance(value, str):
        text = _CONTROLS.sub("\ufffd", value.encode("utf-8", "replace").decode())
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
    if isinstance(value, Mapping):
        return {harmless(key): harmless(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(item) for item in value]
    return value


def figure(value: object) -> float | None:
    """A finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def span(value: object) -> str:
    """`4.2 s`, `12 min`, `3.5 h`, `9 d`; a dash for none; a text that stands for no number as it is."""
    seconds = figure(value)
    if seconds is None:
        return "–" if value is None else str(value)
    for length, unit in ((172_800, "d"), (7_200, "h"), (120, "min")):
        if abs(seconds) >= length:
            return f"{seconds / (length / 2):.3g} {unit}"
    return f"{seconds:.3g} s"


def size(count: object) -> str:
    """`87.3 MB`."""
    amount = figure(count)
    if amount is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.5:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} PB"

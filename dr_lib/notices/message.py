"""How a message reads: what is wrong first, a line each, and never more than a phone shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dr_lib.format.canonical import time_text
from dr_lib.model.alert import OpenAlert, Severity
from dr_lib.policy.alerting import News

_LINES: Final = 20
_LONGEST: Final = 300
_ALL_CLEAR: Final = "all clear"


@dataclass(frozen=True, slots=True)
class Message:
    """A title and a body of plain text. `severity` is None for an all-clear."""

    title: str
    body: str
    severity: Severity | None


def message_of(news: News) -> Message:
    """One message for all of it; the title says the worst."""
    wrong = (*news.raised, *news.still)
    worst = max((one.severity for one in wrong), key=lambda one: one.rank, default=None)
    lines = [_line(one, "") for one in news.raised]
    lines += [_line(one, f"still, since {time_text(one.since)[:19]} UTC: ") for one in news.still]
    lines += [_line(one, f"over, was so since {time_text(one.since)[:19]} UTC: ") for one in news.cleared]
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"and {len(lines) - _LINES} more: see the page Disaster Recovery"]
    return Message(f"Disaster recovery, {_title(news, worst)}", "\n".join(lines), worst)


def _title(news: News, worst: Severity | None) -> str:
    if worst is None:
        return f"{_ALL_CLEAR}: {_count(len(news.cleared))} over"
    parts = [f"{len(news.raised)} new"] if news.raised else []
    parts += [f"{len(news.still)} still so"] if news.still else []
    parts += [f"{len(news.cleared)} over"] if news.cleared else []
    return f"{worst.value}: {', '.join(parts)}"


def _count(number: int) -> str:
    return "1 alert is" if number == 1 else f"{number} alerts are"


def _line(one: OpenAlert, how: str) -> str:
    text = " ".join(one.text.split())
    return f"[{one.severity.value}] {how}{text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}"

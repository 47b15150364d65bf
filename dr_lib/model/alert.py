"""What people are alarmed about, and what they were told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How much of a hurry there is. In order: `warning` can wait for the morning, `critical` cannot."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Greater is worse."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now. `key` stays the same as long as it is the same trouble: `asset:minilm`."""

    key: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """A condition that was so at the last look, and since when; `told_at` is None while nobody could be told."""

    key: str
    severity: Severity
    text: str
    since: datetime
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told. `reference` says where the Apprise URLs lie (`env:NAME`, `airflow:CONN_ID`)."""

    reference: str
    at_least: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """`alerts:` of dr.yaml. What stays so is told again after `repeat`; None: once."""

    to: tuple[Recipient, ...] = ()
    repeat: timedelta | None = timedelta(days=1)


NOBODY: Final = AlertPolicy()
"""Where dr.yaml names nobody."""

"""What was decided about a restore that somebody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

APPROVED: Final = "approved"
REJECTED: Final = "rejected"
UNANSWERED: Final = "unanswered"
EMERGENCY: Final = "emergency"
"""Nobody was asked: who started it used the path for emergencies."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by whom (empty: nobody), and when (ISO 8601, empty where nobody did)."""

    word: str
    by: str = ""
    at: str = ""

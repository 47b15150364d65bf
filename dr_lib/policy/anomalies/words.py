"""Counts and shares as findings say them."""

from __future__ import annotations

from collections.abc import Sized


def counted(things: Sized, what: str) -> str:
    """`2 tensors`; `what` is in the singular."""
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def percent(share: float) -> str:
    """`97 %`."""
    return f"{100 * share:.0f} %"

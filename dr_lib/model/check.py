"""One thing that was looked at on this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """What was found; `fix` is the next step when it is not `ok`."""

    name: str
    ok: bool
    detail: str
    fix: str = ""

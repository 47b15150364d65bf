"""Whether a restore that somebody asked for may begin. Pure."""

from __future__ import annotations

from dr_lib.model.authorisation import APPROVED, EMERGENCY, REJECTED, Decision


def objection(requester: str, decision: Decision) -> str | None:
    """Why it may not begin, in plain words; None when it may. Names are compared whatever their case."""
    if decision.word == EMERGENCY:
        return None if requester else "it is not known who asked for it"
    if decision.word == REJECTED:
        return f"{decision.by or 'somebody'} rejected it"
    if decision.word != APPROVED:
        return "nobody approved it in time"
    if not requester or not decision.by:
        return "it is not known who asked for it, or who approved it"
    if requester.casefold() == decision.by.casefold():
        return f"{decision.by} asked for it, and cannot approve it: somebody else must"
    return None

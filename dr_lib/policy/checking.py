"""How urgent it is how an asset stands. Alerts and checks ask the same two questions here."""

from __future__ import annotations

from collections.abc import Sequence

from dr_lib.model.serving import Site
from dr_lib.model.state import Judgement, State
from dr_lib.policy.health import Verdict
from dr_lib.policy.traffic import Look


def is_late(rpo_s: float | None, objective_s: float) -> bool:
    """True without a verified point as young as promised: there is no proven way back to what was promised."""
    return rpo_s is None or rpo_s > objective_s


def judged(
    rpo_s: float | None, objective_s: float, problems: Sequence[str], *, unknown: str = "", share: float = 1.0
) -> Judgement:
    """How an asset stands; `unknown` says why nobody can know, `share` of the RPO used up is worth a warning.

    Critical: no verified point as young as promised. Warning: one is, and something else is wrong, or soon will be.
    """
    told = tuple(problems)
    if unknown:
        return Judgement(State.UNKNOWN, (unknown, *told))
    if is_late(rpo_s, objective_s):
        return Judgement(State.CRITICAL, told or ("the newest verified point is older than promised",))
    if told:
        return Judgement(State.WARNING, told)
    if rpo_s is not None and rpo_s > share * objective_s:
        used = (
            f"the newest verified point is {rpo_s:.0f} s old, more than {share:.0%} of the {objective_s:.0f} s promised"
        )
        return Judgement(State.WARNING, (used,))
    return Judgement(State.OK, (f"the newest verified point is {rpo_s:.0f} s old; {objective_s:.0f} s are promised",))


def judged_endpoint(look: Look, problem: str, *, is_read: bool) -> Judgement:
    """How an endpoint stands for its callers; `is_read` is False where its switch did not say who serves.

    Critical: nobody serves, two do, or who serves fails. Unknown: nobody can tell. Warning: who serves swings, is the
    standby, so that there is nothing to fail over to, or something else is wrong with it.
    """
    if not is_read:
        return Judgement(State.UNKNOWN, (problem or "its switch does not say who serves",))
    if len(look.traffic.sites) != 1:
        return Judgement(State.CRITICAL, (problem or f"the switch sends requests to {look.traffic.word}",))
    site = next(iter(look.traffic.sites))
    stands = look.of(site)
    if stands in (Verdict.DOWN, Verdict.WRONG):
        return Judgement(State.CRITICAL, (problem or f"the {site} serves and is {stands}",))
    if stands is Verdict.UNKNOWN:
        return Judgement(State.UNKNOWN, (problem or f"whether the {site} serves well is not known",))
    if problem:
        return Judgement(State.WARNING, (problem,))
    if site is Site.STANDBY:
        return Judgement(State.WARNING, ("the standby serves, and there is nothing to fail over to",))
    return Judgement(State.OK, (f"the {site} serves and answers rightly",))

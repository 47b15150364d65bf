"""What a drill proved, and what it did not."""

from __future__ import annotations

from collections.abc import Sequence

from dr_lib.errors import DrError
from dr_lib.model.asset import Objectives
from dr_lib.model.drill import Assertion, SmokeResult


def judge(
    objectives: Objectives,
    rpo_s: float | None,
    rto_s: float | None,
    smoke: SmokeResult | None,
    failure: DrError | None,
    isolation: Sequence[Assertion] = (),
) -> tuple[str, ...]:
    """Every reason why the drill does not prove the asset, in plain words; empty exactly when it does."""
    reasons = [f"the standby was not cut off: {a.name}: {a.detail}" for a in isolation if a.held is False]
    if failure is not None:
        reasons.append(str(failure))
    if smoke is not None and not smoke.passed:
        reasons.append(f"the smoke test failed: {smoke.cause or 'a check did not hold'}")
    if smoke is None and failure is None:
        reasons.append("no smoke test was run")
    if rpo_s is None:
        reasons.append("no verified point survived")
    elif rpo_s > objectives.rpo.total_seconds():
        reasons.append(
            f"the newest surviving point was {rpo_s:.0f} s old; {objectives.rpo.total_seconds():.0f} s were promised"
        )
    if rto_s is None:
        reasons.append("no correct output was seen")
    elif rto_s > objectives.rto.total_seconds():
        reasons.append(f"recovery took {rto_s:.0f} s; {objectives.rto.total_seconds():.0f} s were promised")
    return tuple(reasons)


def unproven(
    lost: str, smoke: SmokeResult | None, isolation: Sequence[Assertion] = (), *, lost_really: bool
) -> tuple[str, ...]:
    """What even a passed drill did not show, in plain words."""
    gaps = [f"not shown that {a.name}: {a.detail}" for a in isolation if a.held is None]
    if not isolation:
        gaps.append("whether the standby was cut off from the source was not tried")
    if not lost_really:
        gaps.append(f"{lost} was not really down: the drill only kept away from it")
    if smoke is not None and smoke.accelerator == "cpu":
        gaps.append("no GPU was there: nothing is shown about loading or speed on one")
    return tuple(gaps)

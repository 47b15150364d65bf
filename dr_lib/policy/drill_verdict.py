"""What a drill proved, and what it did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dr_lib.errors import DrError
from dr_lib.model.asset import Objectives
from dr_lib.model.drill import Assertion, Sensitivity, SmokeResult
from dr_lib.model.kit import KitState

TOLERATED_S: Final = 5.0


def judge(
    objectives: Objectives,
    rpo_s: float | None,
    rto_s: float | None,
    smoke: SmokeResult | None,
    failure: DrError | None,
    isolation: Sequence[Assertion] = (),
    control: Sensitivity | None = None,
    kits: Sequence[KitState] = (),
) -> tuple[str, ...]:
    """Every reason why the drill does not prove that the asset comes back, in plain words; empty if it does."""
    reasons = [*_not_cut_off(isolation), *_not_sensitive(control), *_bad_kits(kits)]
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


def judge_refusal(
    blocked: DrError | None, failure: DrError | None, fetched: int, isolation: Sequence[Assertion] = ()
) -> tuple[str, ...]:
    """Every reason why the drill does not prove that an unfit standby is refused, before a byte is `fetched`.

    `blocked` is the preflight's refusal, `failure` any other that ended the drill. Nothing is said of recovery.
    """
    reasons = list(_not_cut_off(isolation))
    if failure is not None:
        reasons.append(str(failure))
    elif blocked is None:
        reasons.append("the standby took the asset, and has less room than the asset needs")
    if fetched:
        reasons.append(f"{fetched} bytes were fetched into a standby that cannot hold the asset")
    return tuple(reasons)


def doubts(
    scenario: str, *, really: bool, undone: bool | None, detected: bool, skews: tuple[float, float | None]
) -> tuple[str, ...]:
    """Reasons of the scenario's own. `detected`: a damaged copy was met and passed over. `skews`: by how many seconds
    the clock was set off, and by how many the drill found that it is (None: it could not tell)."""
    found = []
    if undone is False:
        found.append("the world is not as before: not everything could be undone; `drctl drill --undo` tries again")
    if scenario == "pack-damaged" and really and not detected:
        found.append("a byte that the point needs was damaged, and nothing noticed it")
    injected, measured = skews
    if measured is None and injected:
        found.append("the clock is off and no region told the time: the RPO is not known")
    elif measured is not None and injected and abs(measured - injected) > TOLERATED_S:
        found.append(f"the clock is {injected:.0f} s off, and the drill took it for {measured:.0f} s")
    return tuple(found)


def unproven(
    lost: str,
    smoke: SmokeResult | None,
    isolation: Sequence[Assertion] = (),
    *,
    lost_really: bool,
    control: Sensitivity | None = None,
    gaps: Sequence[str] = (),
    skew_s: float | None = 0.0,
) -> tuple[str, ...]:
    """What even a passed drill did not show, in plain words. `lost` is empty where no region was to be lost."""
    told = [*gaps, *(f"not shown that {a.name}: {a.detail}" for a in isolation if a.held is None)]
    if not isolation:
        told.append("whether the standby was cut off from the source was not tried")
    if lost and not lost_really:
        told.append(f"{lost} was not really down: the drill only kept away from it")
    if skew_s is None:
        told.append("no region told the time: whether this machine's clock is right is not known")
    damages = () if control is None else control.controls
    told += [f"not shown that the smoke test notices: {c.name}: {c.detail}" for c in damages if c.caught is None]
    if smoke is not None and not any(c.caught for c in damages):
        told.append("whether the smoke test would notice a damaged copy was not tried")
    if smoke is not None and smoke.accelerator == "cpu":
        told.append("it ran without a GPU: nothing is shown about loading or speed on one")
    return tuple(told)


def kit_gaps(kits: Sequence[KitState]) -> tuple[str, ...]:
    """Recovery kits that are not there, or older than their vault, in plain words."""
    return tuple(f"{kit.region}: {kit.problem}" for kit in kits if kit.problem and (not kit.key or kit.facts))


def _bad_kits(kits: Sequence[KitState]) -> list[str]:
    """A kit that is damaged or somebody else's is worse than none: people would run it."""
    return [f"the recovery kit in {kit.region}: {kit.problem}" for kit in kits if kit.key and kit.facts is None]


def _not_cut_off(isolation: Sequence[Assertion]) -> list[str]:
    return [f"the standby was not cut off: {a.name}: {a.detail}" for a in isolation if a.held is False]


def _not_sensitive(control: Sensitivity | None) -> list[str]:
    damages = () if control is None else control.controls
    return [f"the smoke test did not notice: {c.name}: {c.detail}" for c in damages if c.caught is False]

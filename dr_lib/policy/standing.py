"""How an asset stands against its objectives right now, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dr_lib.model.asset import Asset
from dr_lib.model.copy import CopyState, KnownPoint
from dr_lib.model.drill import Verdict
from dr_lib.model.scrub import Coverage, Scrub
from dr_lib.policy.rpo import newest_verified, rpo_seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """`rpo_s` is the age of the newest verified point, None without one; `problems` is empty when all is well.

    Of quarantined points neither is one.
    """

    asset: str
    newest: KnownPoint | None
    newest_verified: KnownPoint | None
    rpo_s: float | None
    problems: tuple[str, ...]


def standing(
    asset: Asset,
    points: Sequence[KnownPoint],
    silent: Sequence[str],
    last_verdict: str | None,
    now: datetime,
    unread: Sequence[str] = (),
) -> Standing:
    """Judge an asset by what its regions hold; what is not known is a problem, never taken for fine.

    `last_verdict` is the newest drill's, None when there is no evidence of any; `unread` says what else is not known.
    """
    verified = newest_verified(points, asset.regions, now)
    age = rpo_seconds(verified, now)
    newest = next((point for point in points if point.quarantine is None), None)
    problems = [*(f"{region} does not answer" for region in silent), *unread]
    if age is None:
        problems.append("no verified point in any region that answers")
    elif age > asset.objectives.rpo.total_seconds():
        problems.append(
            f"the newest verified point is {age:.0f} s old; {asset.objectives.rpo.total_seconds():.0f} s are promised"
        )
    if newest is not None:
        problems += [_say(newest, region) for region in asset.regions if _say(newest, region)]
    if points and (distrusted := points[0].quarantine) is not None:
        why = distrusted.findings[0] if distrusted.findings else "why cannot be read"
        problems.append(f"the newest point {points[0].point} is quarantined: {why}")
    if last_verdict is None:
        problems.append("never drilled: nothing shows that the RTO holds")
    elif last_verdict != Verdict.PROVEN:
        problems.append("the last drill did not prove it")
    return Standing(asset.name, newest, verified, age, tuple(problems))


def scrub_doubts(scrub: Scrub, covered: Coverage | None) -> list[str]:
    """What the last verification of a region leaves to be said; `covered` is how its bytes stand now."""
    doubts = []
    if scrub.damaged or scrub.findings:
        count = max(len(scrub.damaged), len(scrub.findings))
        doubts.append(f"{count} objects in {scrub.region} are damaged: drctl heal --region {scrub.region}")
    if covered is not None and covered.overdue:
        days, promised = covered.oldest_s / 86_400, covered.within_s / 86_400
        doubts.append(
            f"{scrub.region} holds bytes that nobody has read for {days:.1f} days; {promised:.1f} are promised: "
            "drctl verify --mode sample"
        )
    return doubts


def _say(point: KnownPoint, region: str) -> str:
    state = point.copy_in(region).state
    said = {
        CopyState.DAMAGED: f"the copy of {point.point} in {region} is damaged",
        CopyState.MISSING: f"{region} has no copy of {point.point}",
        CopyState.PENDING: f"the backup {point.point} is not committed in {region}",
    }
    return said.get(state, "")

"""One look at an asset in all its regions: what is there, how it was drilled and read, and how it stands by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from dr_lib.catalog.answers import kept_in, open_ones
from dr_lib.catalog.observe import Answer, Observation, observe
from dr_lib.errors import DrError
from dr_lib.model.asset import Asset
from dr_lib.model.protection import Encryption
from dr_lib.model.scrub import Coverage
from dr_lib.policy.scrub_plan import aged
from dr_lib.policy.standing import Standing, scrub_doubts, standing
from dr_lib.use_cases.drill_results import by_scenario, history, last_recovery, matrix
from dr_lib.use_cases.over_config import Document
from dr_lib.vault.evidence import PastDrill
from dr_lib.vault.scrubs import last_scrub
from dr_lib.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at `at`. `drills` are by id, `plan` is as `drill_results.matrix` gives it, `covered` by region."""

    at: datetime
    answers: Mapping[str, Answer]
    known: Observation
    drills: Mapping[str, PastDrill]
    drilled: PastDrill | None
    plan: Document
    covered: Mapping[str, Coverage]
    standing: Standing


def look_at(
    asset: Asset,
    answers: Mapping[str, Answer],
    encryption: Encryption | None,
    now: datetime,
    known_drills: Mapping[str, PastDrill] = MappingProxyType({}),
) -> Look:
    """Ask every region in `answers` (the asset's, in its order); raises nothing for one that is silent."""
    known = observe(asset.name, answers)
    heard = [region for region in answers if region not in known.silent]
    told = history(asset, {region: answers[region] for region in heard}, known_drills)
    newest = by_scenario(told)
    drilled = last_recovery(newest[0])
    plan = matrix(asset, encryption, newest, now)
    covered, doubts = _scrubs(asset.name, open_ones(answers, heard), now)
    unknown = (*doubts, *plan["problems"])
    found = standing(asset, known.points, tuple(known.silent), drilled.verdict if drilled else None, now, unknown)
    return Look(now, answers, known, told[0], drilled, plan, covered, found)


def _scrubs(asset: str, vaults: Sequence[Vault], now: datetime) -> tuple[dict[str, Coverage], list[str]]:
    """How far each region's bytes were read again by the word of its last verification, and what is wrong there."""
    covered: dict[str, Coverage] = {}
    doubts: list[str] = []
    mute: list[DrError] = []
    for vault in vaults:
        with kept_in(mute):
            scrub = last_scrub(vault, vault.events(asset), now)
            if scrub is not None and scrub.covered is not None:
                covered[vault.region] = aged(scrub.covered, now - scrub.at)
            doubts += [] if scrub is None else scrub_doubts(scrub, covered.get(vault.region))
    return covered, doubts + [f"the word of verifications cannot be read: {error.what}" for error in mute]

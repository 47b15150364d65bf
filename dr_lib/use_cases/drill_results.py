"""What the evidence in an asset's regions says of each scenario of its plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from dr_lib.catalog.answers import kept_in, open_ones
from dr_lib.catalog.observe import Answer
from dr_lib.errors import DrError
from dr_lib.format.canonical import parse_time
from dr_lib.model.asset import Asset
from dr_lib.model.protection import Encryption
from dr_lib.model.scenario import Expected
from dr_lib.policy.drill_plan import planned, policy_sha256, shortcomings
from dr_lib.use_cases.over_config import Document
from dr_lib.vault.drills import newest_by_scenario, newest_drills
from dr_lib.vault.evidence import PastDrill

Results = tuple[dict[str, PastDrill], list[DrError]]
"""Drills by their id or scenario, and what could not be read of them."""


def last_recovery(found: Mapping[str, PastDrill]) -> PastDrill | None:
    """The newest drill that was to bring the asset back: a refusal, however right, shows no recovery."""
    shown = (past for past in found.values() if past.expected == Expected.RECOVERY)
    return max(shown, key=lambda past: past.drill, default=None)


def history(
    asset: Asset, answers: Mapping[str, Answer], known: Mapping[str, PastDrill] = MappingProxyType({})
) -> Results:
    """The newest drills that any region tells of, by id, and what could not be read of them; `known` are not read."""
    found: dict[str, PastDrill] = {}
    failed: list[DrError] = []
    for vault in open_ones(answers, list(answers)):
        with kept_in(failed):
            told, unread = newest_drills(vault, asset.name, {**known, **found})
            found |= {past.drill: past for past in told}
            failed += unread
    return found, failed


def by_scenario(told: Results) -> Results:
    """The newest drill of each scenario, of a `history`."""
    found, failed = told
    return newest_by_scenario(found.values()), failed


def results(asset: Asset, answers: Mapping[str, Answer]) -> Results:
    """The newest drill of each scenario that any region tells of, and what could not be read of them."""
    return by_scenario(history(asset, answers))


def digest_of(asset: Asset) -> str:
    """The digest of the asset's policy, and of the files that it names as they are now; a missing one counts, too."""
    named = {"expectations": asset.expectations, "golden": asset.smoke.golden if asset.smoke else None}
    return policy_sha256(asset, {name: _sha256(path) for name, path in named.items() if path is not None})


def matrix(asset: Asset, encryption: Encryption | None, told: Results, now: datetime) -> Document:
    """`{"scenarios": [{"scenario", "verdict", "finished_at", "age_s", "policy_current"}], "problems"}`: the plan's, in
    its order, then others that have a result. None stands for what never was."""
    found, failed = told
    plan, digest = planned(asset, encryption), digest_of(asset)
    rows = [_row(name, found.get(name), digest, now) for name in (*plan, *sorted(found.keys() - set(plan)))]
    unread = [f"the evidence of drills cannot be read: {error.what} [{error.where}]" for error in failed]
    verdicts = {name: (past.verdict, past.policy_sha256 == digest) for name, past in found.items()}
    return {"scenarios": rows, "problems": [*unread, *shortcomings(plan, verdicts)]}


def _row(name: str, past: PastDrill | None, digest: str, now: datetime) -> Document:
    if past is None:
        return {"scenario": name, "verdict": None, "finished_at": None, "age_s": None, "policy_current": None}
    return {
        "scenario": name,
        "verdict": past.verdict,
        "finished_at": past.finished_at,
        "age_s": max(0.0, (now - parse_time(past.finished_at)).total_seconds()),
        "policy_current": past.policy_sha256 == digest,
    }


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"

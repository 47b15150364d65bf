"""From the evidence of drills to what the next recovery will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dr_lib.errors import DrError
from dr_lib.model.drill import DrillReport
from dr_lib.policy.rto_model import FEWEST, Observed, RtoModel, fit, forecast
from dr_lib.use_cases.over_config import Document
from dr_lib.vault.evidence import PastDrill
from dr_lib.vault.vault import Vault
from dr_lib.workflows.evidence.gather import gather

NEWEST: Final = 60
SET_APART: Final = frozenset({"slow-link", "standby-too-small"})
"""Scenarios whose times say nothing of others."""


def history(vaults: Sequence[Vault], asset: str) -> list[PastDrill]:
    """The newest drills of an asset that recovered it, oldest first, from the evidence that counts."""
    pieces = gather(vaults, asset, NEWEST).pieces.values()
    return [past for past in (piece.past for piece in pieces) if past.rto_s is not None and past.phases]


def model_of(told: Mapping[str, Sequence[PastDrill]], asset: str) -> tuple[RtoModel | None, str]:
    """The model of an asset's own drills, else of all assets', else none; and in words, of which."""
    own = fit([_observed(past) for past in told.get(asset, ()) if past.scenario not in SET_APART])
    if own is not None:
        return own, f"drills of {asset}"
    every = [past for drills in told.values() for past in drills]
    return fit([_observed(past) for past in every if past.scenario not in SET_APART]), "drills of all assets"


def foretold(told: Mapping[str, Sequence[PastDrill]], asset: str, count: int | None, link: int | None) -> Document:
    """The forecast for `count` bytes (the last drill's, when None) over a `link` in bytes a second."""
    model, basis = model_of(told, asset)
    size = count if count is not None else next((past.bytes_restored for past in reversed(told.get(asset, ()))), None)
    if model is None or size is None:
        why = f"it takes {FEWEST} drills that recovered something" if model is None else "name a --size: no drill has"
        return {"asset": asset, "seconds": None, "why": why}
    found = forecast(model, size, link)
    return {
        "asset": asset,
        "bytes": size,
        "seconds": round(found.seconds, 3),
        "low_s": round(found.low_s, 3),
        "high_s": round(found.high_s, 3),
        "phases": {name: round(seconds, 3) for name, seconds in found.phases.items()},
        "notes": [f"by {basis}", *found.notes],
    }


def predicted(vaults: Sequence[Vault], report: DrillReport) -> float | None:
    """What the drills before it foretold of this one, in seconds; None where they are too few or cannot be read."""
    if report.rto_s is None or report.scenario in SET_APART:
        return None
    try:
        told = {report.asset: [past for past in history(vaults, report.asset) if past.drill < report.drill]}
    except DrError:
        return None
    model, _ = model_of(told, report.asset)
    return None if model is None else round(forecast(model, report.bytes_restored).seconds, 3)


def _observed(past: PastDrill) -> Observed:
    phases: dict[str, float] = {}
    for name, seconds in past.phases:
        phases[name] = phases.get(name, 0.0) + seconds
    return Observed(past.bytes_restored, phases)

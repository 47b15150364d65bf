"""Which scenario a drill rehearses next, and what a proof was a proof of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.drill import Verdict
from dr_lib.model.protection import Encryption
from dr_lib.model.scenario import SCENARIOS

_KEYED: Final = "key-lost"


def planned(asset: Asset, encryption: Encryption | None) -> tuple[str, ...]:
    """The scenarios of the asset's plan that can be rehearsed at all, in order.

    One that names all leaves out what this configuration has no means for: the loss of the only region, or of a key
    where nothing is sealed or no escrow key is named. What is named one by one stays: its drills tell what is missing.
    """
    if asset.drill.scenarios != tuple(SCENARIOS):
        return asset.drill.scenarios or (asset.drill.scenario,)
    alone = len(asset.regions) < 2
    keyless = encryption is None or encryption.escrow is None
    return tuple(
        name
        for name, scenario in SCENARIOS.items()
        if not (alone and scenario.loses_region)
        and not (keyless and name == _KEYED)
        and not (scenario.of_orchestrator and asset.kind is not AssetKind.ORCHESTRATOR)
    )


def next_scenario(plan: Sequence[str], finished_at: Mapping[str, str]) -> str:
    """The scenario of `plan` without a result, else the one whose result is oldest; the plan's order decides ties.

    `finished_at` is the moment of each scenario's last result as ISO 8601 text in UTC, whatever its verdict.
    """
    return min(plan, key=lambda name: finished_at.get(name, ""))


def policy_sha256(asset: Asset, contents: Mapping[str, str]) -> str:
    """Digest of what the owner promised and how it is tested, hex.

    Covers objectives, smoke test, standby, link, regions in their order, and `contents`, the digests of the files that
    these name. When drills run, and through which scenarios, is not part of it: that changes no proof.
    Nor is where a file lies, which is another place on another machine.
    """
    promised = {
        "kind": asset.kind.value,
        "regions": list(asset.regions),
        "objectives": [asset.objectives.rpo.total_seconds(), asset.objectives.rto.total_seconds()],
        "smoke": None if asset.smoke is None else repr(replace(asset.smoke, golden=None)),
        "drill": [asset.drill.standby, asset.drill.link, asset.drill.control_s is not None],
        "contents": dict(contents),
    }
    return hashlib.sha256(json.dumps(promised, sort_keys=True).encode()).hexdigest()


def shortcomings(plan: Sequence[str], told: Mapping[str, tuple[str, bool]]) -> list[str]:
    """What is missing of a plan's proofs, in plain words. `told` has the verdict of each scenario's last drill, and
    whether the policy that it was judged by is still the one in force."""
    found = []
    never = [name for name in plan if name not in told]
    if never and len(never) < len(plan):
        found.append(f"never drilled: {', '.join(never)}")
    for name in plan:
        verdict, is_current = told.get(name, (Verdict.PROVEN, True))
        if verdict != Verdict.PROVEN:
            found.append(f"the last drill of {name} did not prove it")
        elif not is_current:
            found.append(f"{name} is not proven any more: what was promised, or how it is tested, was changed since")
    return found

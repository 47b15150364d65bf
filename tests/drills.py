"""Reports of drills that never ran, and vaults in memory that keep their evidence."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from dr_lib.crypto import signing
from dr_lib.crypto.keyset import Keyset
from dr_lib.model.drill import (
    Applied,
    Assertion,
    Control,
    DrillReport,
    Phase,
    Sensitivity,
    SmokeCheck,
    SmokeResult,
    Verdict,
)
from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.vault import Vault
from dr_lib.workflows.evidence.keep import keep
from tests.keys import keys

START = datetime(2026, 11, 23, 18, 1, 9, 1, UTC)
POINT = "20261123T180000000000Z-c0ffee00"


def report(number: int = 0, **more: Any) -> DrillReport:
    """The drill of that hour: a model came back within its objectives."""
    at = START + timedelta(hours=number)
    drill = f"{at:%Y%m%dT%H%M%S%f}Z-{number:08x}"
    facts: dict[str, Any] = {
        "drill": drill, "asset": "minilm", "kind": "model", "scenario": "region-lost", "lost_region": "us-east",
        "lost_how": "us-east did not answer", "restored_from": "eu-west", "point": POINT, "manifest_sha256": "ab" * 32,
        "started_at": at, "disaster_at": at, "finished_at": at + timedelta(seconds=20), "rpo_s": 60.0,
        "rpo_objective_s": 3600.0, "rto_s": 10.0, "rto_objective_s": 900.0,
        "phases": tuple(Phase(name, 2.0) for name in ("detect", "acquire", "fetch", "decode", "load")),
        "bytes_restored": 90_000_000, "files_restored": 11,
        "smoke": SmokeResult(True, (SmokeCheck("cosine", "1.0", ">= 0.999", True),), None, "cpu", 1.5, 2.0,
                             {"p50_s": 0.01}),
        "verdict": Verdict.PROVEN, "reasons": (), "unproven": ("there was no GPU",), "environment": {"python": "3.11"},
        "preflight": ({"name": "disk", "class": "fine", "recorded": "1", "here": "2", "reason": "enough"},),
        "applied": Applied(True, "its server was stopped", True),
        "isolation": (Assertion("the source", True, "refused"),),
        "control": Sensitivity((Control("two layers swapped", True, "cosine 0.7"),), 0.004, "layer.0", 3.0),
        "policy_sha256": "cd" * 32, "predicted": 11.0, "rpo_by_region": {"eu-west": 60.0, "us-east": None},
        "critical": ("fetch, 20%: the link",),
    }  # fmt: skip
    return DrillReport(**facts | more)


def keyset(secret: str | None = None) -> Keyset:
    """Who signs with `secret` (the test run's key) and trusts the test run's key alone."""
    return Keyset(signer=signing.signer(secret or keys().signer), trusted=(keys().public,))


def vault(region: str, secret: str | None = None, store: MemoryStore | None = None) -> Vault:
    """An empty vault whose records are signed with `secret`."""
    found = keyset(secret)
    return Vault(region, store or MemoryStore(f"region {region}"), found, found.trusted)


def filled(*regions: str, drills: int = 3) -> list[Vault]:
    """Vaults that hold the evidence of as many drills, each after the one before."""
    vaults = [vault(region) for region in regions]
    for number in range(drills):
        keep(vaults, report(number))
    return vaults


def edited(found: Vault, key: str, edit: Callable[[bytes], bytes]) -> None:
    """Put other bytes in the place of an object, as somebody can who has the store."""
    data = edit(found.store.get(key))
    removed(found, key)
    found.store.create(key, data)


def removed(found: Vault, key: str) -> None:
    """Take an object away, all its versions."""
    store = found.store
    assert isinstance(store, MemoryStore)
    for version in list(store.versions(key)):
        store.delete(key, version.version)


def payload(data: bytes) -> dict[str, Any]:
    """The statement in an envelope."""
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(data)["payload"]))
    return found

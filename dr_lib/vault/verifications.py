"""Verifications as immutable events of a vault: they outlive every catalog."""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import Any

from dr_lib.errors import IntegrityError
from dr_lib.format import canonical, entries, layout
from dr_lib.model.copy import Verification
from dr_lib.vault.vault import Vault

KIND = "verification"


def record_verification(vault: Vault, verification: Verification) -> str:
    """Leave the result in the vault; its key. A retry leaves a second, equal event, which changes no state."""
    key = layout.event_key(
        verification.asset, verification.finished_at, KIND, verification.point, secrets.token_bytes(4)
    )
    vault.add_record(key, _to_json(verification))
    return key


def verifications(vault: Vault, asset: str) -> dict[str, list[Verification]]:
    """Verifications of an asset's points in this vault, by point, in order of time.

    Costs one listing and one get an event. An event that does not parse raises `IntegrityError`: what it said is
    unknown, and unknown is not fine.
    """
    found: defaultdict[str, list[Verification]] = defaultdict(list)
    for event in vault.events(asset):
        if event.kind == KIND:
            found[event.point].append(_parse(vault, event))
    return dict(found)


def _to_json(verification: Verification) -> dict[str, Any]:
    return {
        "kind": KIND,
        "region": verification.region,
        "asset": verification.asset,
        "point": verification.point,
        "manifest_sha256": verification.manifest_sha256,
        "mode": verification.mode,
        "finished_at": canonical.time_text(verification.finished_at),
        "milliseconds": round(verification.seconds * 1000),
        "bytes_read": verification.bytes_read,
        "findings": list(verification.findings),
    }


def _parse(vault: Vault, event: layout.EventName) -> Verification:
    record = vault.record(event.key)
    try:
        found = Verification(
            region=entries.text(record["region"]),
            asset=entries.text(record["asset"]),
            point=entries.text(record["point"]),
            manifest_sha256=entries.hash_bytes(record["manifest_sha256"]).hex(),
            mode=entries.text(record["mode"]),
            finished_at=canonical.parse_time(entries.text(record["finished_at"])),
            seconds=entries.natural(record["milliseconds"]) / 1000,
            bytes_read=entries.natural(record["bytes_read"]),
            findings=tuple(entries.text(item) for item in record["findings"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"a verification does not parse: {error!r}", where=vault.where(event.key)) from error
    if (found.asset, found.point, found.region) != (event.asset, event.point, vault.region):
        raise IntegrityError("a verification is of another copy than its name says", where=vault.where(event.key))
    return found

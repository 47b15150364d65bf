"""Verifications as immutable events of a vault: they outlive every catalog."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import canonical, entries, layout
from dr_lib.model.copy import Verification
from dr_lib.policy.copy_state import FULL
from dr_lib.vault.records import EVENT, add_record, decode_record, encode_record
from dr_lib.vault.vault import Vault

KIND = "verification"


def record_verification(vault: Vault, verification: Verification) -> str:
    """Leave the result in the vault; its key. The same result twice is one event."""
    data = encode_record(vault, _to_json(verification), EVENT)
    key = layout.event_key(verification.asset, verification.finished_at, KIND, verification.point, data)
    add_record(vault, key, data)
    return key


def verifications(vault: Vault, asset: str) -> dict[str, list[Verification | None]]:
    """What decides the state of an asset's points in this vault: by point, in order of time.

    Earlier verifications than a point's newest decisive one (damage, or a full one that found none) are not read, so
    that the cost is one listing and about one get a point, however often it was verified. None stands for an event
    that is damaged: what it said is unknown, and unknown is not fine.
    """
    found: defaultdict[str, list[Verification | None]] = defaultdict(list)
    settled: set[str] = set()
    for event in reversed([event for event in vault.events(asset) if event.kind == KIND]):
        if event.point in settled:
            continue
        verification = _readable(vault, event)
        found[event.point].append(verification)
        if verification is not None and (verification.mode == FULL or not verification.ok):
            settled.add(event.point)
    return {point: newest_first[::-1] for point, newest_first in found.items()}


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


def _readable(vault: Vault, event: layout.EventName) -> Verification | None:
    try:
        return parse_verification(vault, event, vault.store.get(event.key))
    except (IntegrityError, NotFound):
        return None


def parse_verification(vault: Vault, event: layout.EventName, data: bytes) -> Verification:
    """The verification in `data`; `IntegrityError` unless it is the one that its name promises."""
    if layout.event_check(data) != event.check:
        raise IntegrityError("an event's bytes are not those its name promises", where=vault.where(event.key))
    record = decode_record(vault, event.key, data, EVENT)
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
    except entries.ODD as error:
        raise IntegrityError(f"a verification does not parse: {error!r}", where=vault.where(event.key)) from error
    said = (found.asset, found.point, found.region, found.finished_at)
    if said != (event.asset, event.point, vault.region, event.at):
        raise IntegrityError("a verification is of another copy than its name says", where=vault.where(event.key))
    return found

"""Evidence of drills: in-toto statements, kept in the vaults that survived, each naming the one before it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from dr_lib.errors import DrError, IntegrityError
from dr_lib.format import canonical, entries, layout
from dr_lib.model.drill import DrillReport
from dr_lib.model.evidence import Link
from dr_lib.vault.records import STATEMENT as INTOTO
from dr_lib.vault.records import add_record, decode_record, encode_record
from dr_lib.vault.vault import Vault

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE_V1: Final = "urn:dr:evidence:drill:v1"
PREDICATE: Final = "urn:dr:evidence:drill:v2"
_NO_NUMBERS: Final = ("nan", "inf", "-inf")


@dataclass(frozen=True, slots=True)
class PastDrill:
    """A drill as its evidence states it. `policy_sha256` is empty in evidence that does not tell it.

    `phases` are seconds by name, in order; `bytes_restored` is 0 where nothing was. `previous` is the evidence before
    it; None where it names none.
    """

    drill: str
    verdict: str
    finished_at: str
    rto_s: float | None
    rpo_s: float | None
    key: str
    scenario: str = ""
    expected: str = "recovery"
    policy_sha256: str = ""
    phases: tuple[tuple[str, float], ...] = ()
    bytes_restored: int = 0
    predicted_s: float | None = None
    previous: Link | None = None


def statement(report: DrillReport, previous: Link | None = None) -> dict[str, Any]:
    """The in-toto statement of a drill, which follows the evidence `previous`.

    Its subject is the restored point by the digest of its manifest; the asset by the digest of its name, where the
    drill did not get as far as a point.
    """
    name, digest = f"{report.asset}/{report.point}", report.manifest_sha256
    if not digest:
        name, digest = f"{report.asset}/no point", hashlib.sha256(report.asset.encode()).hexdigest()
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}}],
        "predicateType": PREDICATE,
        "predicate": _plain(asdict(report)) | {"previous": asdict(previous) if previous else None},
    }


def record_evidence(vault: Vault, report: DrillReport, previous: Link | None = None) -> str:
    """Store a drill's evidence; its key. The same report after the same evidence twice is one object."""
    key = layout.evidence_key(report.asset, report.drill)
    add_record(vault, key, encode_record(vault, statement(report, previous), INTOTO))
    return key


def evidence_keys(vault: Vault, asset: str) -> list[str]:
    """Keys of an asset's evidence here, oldest first, from one listing."""
    listed = (info.key for info in vault.store.list(f"{layout.EVIDENCE}{asset}/"))
    return sorted(key for key in listed if layout.is_evidence_key(key))


def newest_link(vaults: Sequence[Vault], asset: str, but: str = "") -> Link | None:
    """The newest evidence that any of the vaults holds and that counts; None when there is none but that of `but`.

    What nobody trusted signed is passed over: it must not become part of a chain. A vault that does not answer counts
    as one that holds nothing.
    """
    held: list[tuple[str, Vault]] = []
    for vault in vaults:
        try:
            held += [(key, vault) for key in evidence_keys(vault, asset)]
        except DrError:
            continue
    own = layout.evidence_key(asset, but)
    for key, vault in sorted(held, key=lambda one: one[0], reverse=True):
        if key == own:
            continue
        try:
            data = vault.store.get(key)
            parse_evidence(vault, asset, key, data)
        except DrError:
            continue
        return Link(key, hashlib.sha256(data).hexdigest())
    return None


def last_drill(vault: Vault, asset: str) -> PastDrill | None:
    """The newest drill of an asset that this vault has evidence of: one listing and one get.

    `IntegrityError` when that evidence is no such statement, or another drill's.
    """
    keys = evidence_keys(vault, asset)
    if not keys:
        return None
    return parse_evidence(vault, asset, keys[-1], vault.store.get(keys[-1]))


def parse_evidence(vault: Vault, asset: str, key: str, data: bytes) -> PastDrill:
    """The drill that the evidence in `data` is of; `IntegrityError` when it is none, or another's."""
    where = vault.where(key)
    try:
        predicate = decode_record(vault, key, data, INTOTO)["predicate"]
        found, told = _past_drill(predicate, key), entries.text(predicate["asset"])
    except entries.ODD as error:
        raise IntegrityError(f"a drill's evidence does not parse: {error!r}", where=where) from error
    if layout.evidence_key(asset, found.drill) != key or told != asset:
        raise IntegrityError("a drill's evidence stands under another name", where=where)
    return found


def _past_drill(predicate: dict[str, Any], key: str) -> PastDrill:
    return PastDrill(
        drill=entries.text(predicate["drill"]),
        verdict=entries.text(predicate["verdict"]),
        finished_at=entries.text(predicate["finished_at"]),
        rto_s=_figure(predicate["rto_s"]),
        rpo_s=_figure(predicate["rpo_s"]),
        key=key,
        scenario=entries.text(predicate["scenario"]),
        expected=entries.text(predicate.get("expected") or "recovery"),
        policy_sha256=entries.text(predicate.get("policy_sha256") or ""),
        phases=tuple(_phase(phase) for phase in predicate.get("phases") or ()),
        bytes_restored=entries.natural(predicate.get("bytes_restored") or 0),
        predicted_s=_figure(predicate.get("predicted")),
        previous=_link(predicate.get("previous")),
    )


def _phase(item: dict[str, Any]) -> tuple[str, float]:
    return entries.text(item["name"]), _figure(item["seconds"]) or 0.0


def _figure(value: object) -> float | None:
    """A number; None for what is none in JSON and stands as text."""
    return None if value in _NO_NUMBERS else entries.number(value)


def _link(item: dict[str, Any] | None) -> Link | None:
    return None if item is None else Link(entries.text(item["key"]), entries.text(item["sha256"]))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return canonical.time_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # a measure may be NaN; JSON has no such number, and the evidence must be kept
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value

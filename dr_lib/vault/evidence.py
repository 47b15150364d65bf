"""Evidence of drills: in-toto statements, kept in the vaults that survived."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from dr_lib.errors import IntegrityError
from dr_lib.format import canonical, entries, layout
from dr_lib.model.drill import DrillReport
from dr_lib.vault.records import STATEMENT as INTOTO
from dr_lib.vault.records import add_record, decode_record, encode_record
from dr_lib.vault.vault import Vault

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "urn:dr:evidence:drill:v1"


@dataclass(frozen=True, slots=True)
class PastDrill:
    """A drill as its evidence states it. `policy_sha256` is empty in evidence that does not tell it."""

    drill: str
    verdict: str
    finished_at: str
    rto_s: float | None
    rpo_s: float | None
    key: str
    scenario: str = ""
    expected: str = "recovery"
    policy_sha256: str = ""


def statement(report: DrillReport) -> dict[str, Any]:
    """The in-toto statement of a drill: its subject is the restored point, by the digest of its manifest."""
    digest = {"sha256": report.manifest_sha256} if report.manifest_sha256 else {}
    return {
        "_type": STATEMENT,
        "subject": [{"name": f"{report.asset}/{report.point or 'no point'}", "digest": digest}],
        "predicateType": PREDICATE,
        "predicate": _plain(asdict(report)),
    }


def record_evidence(vault: Vault, report: DrillReport) -> str:
    """Store a drill's evidence; its key. The same report twice is one object."""
    key = layout.evidence_key(report.asset, report.drill)
    add_record(vault, key, encode_record(vault, statement(report), INTOTO))
    return key


def last_drill(vault: Vault, asset: str) -> PastDrill | None:
    """The newest drill of an asset that this vault has evidence of: one listing and one get.

    `IntegrityError` when that evidence is no such statement, or another drill's.
    """
    listed = (info.key for info in vault.store.list(f"{layout.EVIDENCE}{asset}/"))
    keys = [key for key in listed if layout.is_evidence_key(key)]
    if not keys:
        return None
    return parse_evidence(vault, asset, keys[-1], vault.store.get(keys[-1]))


def parse_evidence(vault: Vault, asset: str, key: str, data: bytes) -> PastDrill:
    """The drill that the evidence in `data` is of; `IntegrityError` when it is none, or another's."""
    where = vault.where(key)
    try:
        found = _past_drill(decode_record(vault, key, data, INTOTO)["predicate"], key)
    except entries.ODD as error:
        raise IntegrityError(f"a drill's evidence does not parse: {error!r}", where=where) from error
    if layout.evidence_key(asset, found.drill) != key:
        raise IntegrityError("a drill's evidence stands under another name", where=where)
    return found


def _past_drill(predicate: dict[str, Any], key: str) -> PastDrill:
    return PastDrill(
        drill=entries.text(predicate["drill"]),
        verdict=entries.text(predicate["verdict"]),
        finished_at=entries.text(predicate["finished_at"]),
        rto_s=entries.number(predicate["rto_s"]),
        rpo_s=entries.number(predicate["rpo_s"]),
        key=key,
        scenario=entries.text(predicate["scenario"]),
        expected=entries.text(predicate.get("expected") or "recovery"),
        policy_sha256=entries.text(predicate.get("policy_sha256") or ""),
    )


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

"""Before the commit: is the run like the last good point? An anomaly is distrusted before it can be seen.

The host that backs up cannot read what is stored, so that runs are compared by their records. In the order of writes
there is no instant at which an anomalous point is committed and believed: the judgement, the quarantine, the holds, and
the manifest last. Words about a point that is never committed harm nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.model.gates import Finding, Gates, Judged, Novelty
from dr_lib.model.hold import ANOMALY, Hold, Quarantine
from dr_lib.policy.anomalies import judge, novelty
from dr_lib.policy.anomalies.novelty import usual_after
from dr_lib.vault.holds import add_hold, add_quarantine, holds, quarantines
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.facts import frames, run_facts
from dr_lib.workflows.backup.kept import PastRun, load_run
from dr_lib.workflows.backup.records import (
    PROOF,
    BackupPlan,
    GateRecord,
    StoredPart,
    load_gate,
    load_part,
    save_gate,
)

WRITERS: Final = 8


@dataclass(frozen=True, slots=True)
class _Base:
    """The last good run here. `gate` is what it left of its own judgement, None when that cannot be read."""

    run: PastRun
    gate: GateRecord | None


def gate(
    vault: Vault,
    plan: BackupPlan,
    parts: Sequence[StoredPart],
    proof: StoredPart,
    gates: Gates,
    past: PastRun | None = None,
) -> GateRecord:
    """Judge a run whose parts are stored, and quarantine its point when it is anomalous; nothing is committed.

    Idempotent: the first judgement of a run stands. `past` is a run that the caller has read already, which spares
    reading it again if it is the one to compare with. Afterwards every earlier good point is on hold if there are
    findings. Raises `UsageError` when a quarantine cannot be signed.
    """
    distrusted = quarantines(vault, plan.asset)
    try:
        record = load_gate(vault, plan.asset, plan.point)
    except NotFound:
        record = save_gate(vault, plan, _judged(vault, plan, parts, proof, gates, distrusted, past))
    if record.findings and plan.point not in distrusted:
        said = record.said if vault.keys.seals else record.findings
        add_quarantine(vault, Quarantine(plan.asset, plan.point, said, plan.created_at))
    if record.findings:
        hold_good(vault, plan.asset, plan.point, plan.created_at)
    return record


def hold_good(vault: Vault, asset: str, point: str, at: datetime) -> None:
    """Put every earlier good point of a vault on hold because of the anomalous `point`, which need not be in it.

    One that an anomaly holds already is left: each has one such hold, however many anomalies follow each other.
    Idempotent.
    """
    distrusted = quarantines(vault, asset)
    held = {hold.point for hold in holds(vault, asset) if (hold.name or "").startswith(ANOMALY)}
    points = [name.point for name in vault.points(asset) if name.point < point]
    reason = f"the point {point} is unlike it, and was quarantined"
    wanted = [
        Hold(asset, good, f"{ANOMALY}{point}", reason, at)
        for good in points
        if good not in held and good not in distrusted
    ]
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda hold: add_hold(vault, hold), wanted))


def _judged(
    vault: Vault,
    plan: BackupPlan,
    parts: Sequence[StoredPart],
    proof: StoredPart,
    gates: Gates,
    distrusted: Collection[str],
    past: PastRun | None,
) -> GateRecord:
    new = run_facts(plan, parts, proof)
    untold = (proof.facts["untold"],) if isinstance(proof.facts.get("untold"), str) else ()
    point, why = _last_good(vault, plan, distrusted)
    if point is not None and point == plan.same_as:
        broken = judge(None, new, None, gates).findings
        return _record(Judged(point, broken, untold), Novelty(0.0, usual=_usual(vault, plan.asset, point)))
    base = None
    try:
        base = _base(vault, plan.asset, point, past) if point is not None else None
        before = run_facts(base.run.plan, base.run.parts, _proof(vault, base.run.plan)) if base else None
    except (IntegrityError, NotFound) as error:
        base, before, why = None, None, f"nothing is compared: the records of {point} cannot be read ({error.what})"
    found = None if base is None else novelty(frames(base.run.parts), frames(parts), _after(base.gate))
    judged = judge(before, new, found, gates)
    lacking = () if before is not None else (why,)
    return _record(replace(judged, untold=(*judged.untold, *untold, *lacking)), found)


def _record(judged: Judged, found: Novelty | None) -> GateRecord:
    return GateRecord(
        compared_with=judged.compared_with or "",
        share=found.share if found else None,
        usual=found.usual if found else (),
        findings=tuple(map(str, judged.findings)),
        said=tuple(map(_said, judged.findings)),
        untold=judged.untold,
    )


def _said(finding: Finding) -> str:
    return finding.said


def _last_good(vault: Vault, plan: BackupPlan, distrusted: Collection[str]) -> tuple[str | None, str]:
    """The newest trusted point before this run that was made here, or why there is none."""
    good = [name.point for name in vault.points(plan.asset) if name.point not in distrusted]
    earlier = [point for point in good if point < plan.point]
    made_here = {name.point for name in vault.pending(plan.asset)}
    newest = max((point for point in earlier if point in made_here), default=None)
    if earlier:
        return newest, "nothing is compared: no earlier good point was made in this region"
    return newest, "nothing is compared: there is no earlier good point in this region"


def _base(vault: Vault, asset: str, point: str, past: PastRun | None) -> _Base:
    run = past if past is not None and past.plan.point == point else load_run(vault, asset, point)
    return _Base(run, _gate_of(vault, asset, point))


def _gate_of(vault: Vault, asset: str, point: str) -> GateRecord | None:
    try:
        return load_gate(vault, asset, point)
    except (IntegrityError, NotFound):
        return None


def _proof(vault: Vault, plan: BackupPlan) -> StoredPart | None:
    try:
        return load_part(vault, plan, PROOF)
    except (IntegrityError, NotFound):
        return None


def _usual(vault: Vault, asset: str, point: str) -> tuple[float, ...]:
    return _after(_gate_of(vault, asset, point))


def _after(record: GateRecord | None) -> tuple[float, ...]:
    return () if record is None else usual_after(record.usual, record.share)

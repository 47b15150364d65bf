"""Plain, JSON-ready documents of results: what `--json` prints, what XCom carries, what the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dr_lib.format.canonical import time_text
from dr_lib.model.hold import ANOMALY

if TYPE_CHECKING:
    from dr_lib.model.copy import CopyLock, KnownPoint, Verification
    from dr_lib.model.drill import DrillReport, Phase, Sensitivity, SmokeResult
    from dr_lib.model.hold import Hold, Quarantine
    from dr_lib.model.scrub import Coverage, Scrub
    from dr_lib.policy.standing import Standing
    from dr_lib.vault.evidence import PastDrill
    from dr_lib.workflows.backup.commit import Committed
    from dr_lib.workflows.backup.records import BackupPlan, StoredPart
    from dr_lib.workflows.drill.undo import Undone
    from dr_lib.workflows.heal.heal import Healed
    from dr_lib.workflows.heal.wounds import Mended
    from dr_lib.workflows.quarantine import Ended
    from dr_lib.workflows.replicate import Replicated
    from dr_lib.workflows.restore.restore import Restored

Document = dict[str, Any]


def plan_document(plan: BackupPlan, region: str) -> Document:
    """A planned backup run."""
    return {
        "run": plan.point,
        "point": plan.point,
        "asset": plan.asset,
        "region": region,
        "shards": len(plan.shards),
        "logical_bytes": sum(f.size for f in plan.listing.files),
    }


def part_document(number: int, part: StoredPart) -> Document:
    """A stored shard."""
    return {"shard": number, "raw_bytes": part.raw_bytes, "new_bytes": part.new_bytes, "packs": len(part.packs)}


def committed_document(
    committed: Committed, copies: dict[str, str], seconds: float, exposed: Sequence[str] = ()
) -> Document:
    """A committed point; `warnings` says what it lacks to be proven, and how it is `exposed`."""
    summary = committed.summary
    return {
        "point": summary.point,
        "asset": summary.asset,
        "created_at": time_text(summary.created_at),
        "logical_bytes": summary.logical_bytes,
        "stored_bytes": summary.stored_bytes,
        "new_bytes": committed.new_bytes,
        "files": summary.files,
        "copies": copies,
        "seconds": round(seconds, 3),
        "warnings": [*([committed.note] if committed.note else []), *exposed],
        "gate": _gate_document(committed),
    }


def _gate_document(committed: Committed) -> Document | None:
    """How the gates found a point; None where they were not asked."""
    judged = committed.judged
    if judged is None and not committed.quarantined:
        return None
    return {
        "quarantined": bool(committed.quarantined),
        "findings": list(committed.quarantined),
        "compared_with": (judged.compared_with or None) if judged else None,
        "new_share": judged.share if judged else None,
        "untold": list(judged.untold) if judged else [],
    }


def point_document(point: KnownPoint, held: Sequence[str] = ()) -> Document:
    """A point and the state of its copies; `locks` says of copies in regions with locks until when they are locked,
    `held` are the names of the holds on it."""
    return {
        "point": point.point,
        "asset": point.asset,
        "created_at": time_text(point.created_at),
        "logical_bytes": point.logical_bytes,
        "stored_bytes": point.stored_bytes,
        "files": point.files,
        "copies": {copy.region: copy.state.value for copy in point.copies},
        "locks": {copy.region: _lock_word(copy.lock) for copy in point.copies if copy.lock is not None},
        "held": list(held),
        "quarantined": None if point.quarantine is None else reasons(point.quarantine),
    }


def reasons(quarantine: Quarantine) -> list[str]:
    """Why a point is in quarantine; never empty."""
    return list(quarantine.findings or ()) or ["why cannot be read any more"]


def quarantine_document(found: Mapping[str, Quarantine], holds: Sequence[Hold], *, is_committed: bool) -> Document:
    """A point in quarantine, by region; `held` are the points on hold because of it."""
    one = next(iter(found.values()))
    name = f"{ANOMALY}{one.point}"
    return {
        "asset": one.asset,
        "point": one.point,
        "at": time_text(one.at),
        "regions": list(found),
        "findings": reasons(one),
        "committed": is_committed,
        "held": sorted({hold.point for hold in holds if hold.name == name}),
    }


def ended_document(asset: str, point: str, ended: Sequence[Ended]) -> Document:
    """A quarantine that was ended, or its holds alone."""
    return {
        "asset": asset,
        "point": point,
        "cleared": [one.region for one in ended if one.cleared],
        "released": {one.region: list(one.released) for one in ended},
    }


def _lock_word(lock: CopyLock) -> str:
    """When the lock ends, `unlocked`, or `unknown`."""
    if lock.until is None:
        return "unlocked" if lock.is_known else "unknown"
    return time_text(lock.until)


def replicated_document(done: Replicated) -> Document:
    """One copy that a replication made."""
    return {
        "asset": done.asset,
        "point": done.point,
        "region": done.region,
        "from": done.source,
        "new_bytes": done.new_bytes,
        "repairs": list(done.repairs),
    }


def verification_document(result: Verification) -> Document:
    """One verified copy."""
    return {
        "asset": result.asset,
        "point": result.point,
        "region": result.region,
        "mode": result.mode,
        "ok": result.ok,
        "findings": list(result.findings),
        "bytes_read": result.bytes_read,
        "seconds": round(result.seconds, 3),
        "finished_at": time_text(result.finished_at),
    }


def healed_document(region: str, record: Mended | None, done: Sequence[Healed]) -> Document:
    """What a healing of a region did, over assets; `record` is the vault's own record when that was healed."""
    mended = [*([record] if record is not None else []), *(item for one in done for item in one.mended)]
    return {
        "region": region,
        "points": [point for one in done for point in one.points],
        "healed": [{"key": item.key, "was": item.was, "from": item.origin} for item in mended],
        "unhealed": [{"key": item.key, "why": item.why} for one in done for item in one.unhealed],
        "given_up": [text.partition(" ")[0] for one in done for text in one.given_up],
        "seconds": round(sum(one.seconds for one in done), 3),
    }


def scrub_document(scrub: Scrub, coverage: Coverage, *, ok: bool) -> Document:
    """One verification run over an asset's copies in a region, and how far all bytes were read again by then."""
    return {
        "asset": scrub.asset,
        "region": scrub.region,
        "mode": scrub.mode,
        "ok": ok,
        "points": scrub.points,
        "bytes_read": scrub.bytes_read,
        "seconds": round(scrub.seconds, 3),
        "finished_at": time_text(scrub.at),
        "findings": list(scrub.findings),
        "coverage": coverage_document(coverage),
    }


def coverage_document(coverage: Coverage) -> Document:
    """How far bytes were read again; seconds, bytes."""
    return {
        "total_bytes": coverage.total_bytes,
        "read_bytes": coverage.read_bytes,
        "oldest_s": round(coverage.oldest_s, 3),
        "within_s": coverage.within_s,
        "overdue": coverage.overdue,
    }


def restored_document(done: Restored, target: str, seconds: float) -> Document:
    """A finished restore."""
    return {
        "asset": done.manifest.summary.asset,
        "point": done.manifest.summary.point,
        "region": done.region,
        "target": target,
        "files": done.files,
        "bytes": done.bytes,
        "kept_bytes": done.kept_bytes,
        "seconds": round(seconds, 3),
        "phases": phases_document(done.phases),
        "repairs": list(done.repairs),
    }


def phases_document(phases: tuple[Phase, ...]) -> Document:
    """Seconds by phase, in the order in which each began; one that came again counts in all."""
    total: dict[str, float] = {}
    for phase in phases:
        total[phase.name] = total.get(phase.name, 0.0) + phase.seconds
    return {name: round(seconds, 3) for name, seconds in total.items()}


def control_document(found: Sensitivity) -> Document:
    """What damage a smoke test notices."""
    return asdict(found) | {"controls": [asdict(one) for one in found.controls]}


def smoke_document(result: SmokeResult) -> Document:
    """A smoke test's answer."""
    return {
        "passed": result.passed,
        "checks": [
            {"name": c.name, "measured": c.measured, "required": c.required, "passed": c.passed} for c in result.checks
        ],
        "cause": result.cause,
        "next_step": result.next_step,
        "accelerator": result.accelerator,
        "load_s": result.load_s,
        "first_output_s": result.first_output_s,
        "measures": dict(result.measures),
    }


def drill_document(report: DrillReport, evidence: dict[str, str]) -> Document:
    """A drill's result; `evidence` is the key of its evidence by region."""
    return {
        "drill": report.drill,
        "asset": report.asset,
        "kind": report.kind,
        "scenario": report.scenario,
        "lost_region": report.lost_region,
        "lost_how": report.lost_how,
        "restored_from": report.restored_from,
        "point": report.point,
        "disaster_at": time_text(report.disaster_at),
        "finished_at": time_text(report.finished_at),
        "rpo_s": report.rpo_s,
        "rpo_objective_s": report.rpo_objective_s,
        "rto_s": report.rto_s,
        "rto_objective_s": report.rto_objective_s,
        "phases": phases_document(report.phases),
        "critical": list(report.critical),
        "kits": dict(report.kits),
        "predicted_s": report.predicted,
        "bytes": report.bytes_restored,
        "files": report.files_restored,
        "smoke": smoke_document(report.smoke) if report.smoke else None,
        "control": control_document(report.control) if report.control else None,
        "verdict": report.verdict.value,
        "reasons": list(report.reasons),
        "unproven": list(report.unproven),
        "preflight": [dict(row) for row in report.preflight],
        "isolation": [{"name": a.name, "held": a.held, "detail": a.detail} for a in report.isolation],
        "expected": report.expected,
        "applied": asdict(report.applied) if report.applied else None,
        "detours": list(report.detours),
        "rpo_by_region": dict(report.rpo_by_region),
        "clock_skew_s": report.clock_skew_s,
        "policy_sha256": report.policy_sha256,
        "evidence": evidence,
    }


def undone_document(done: Sequence[Undone]) -> Document:
    """What was undone of drills that are dead, and what could not be."""
    told = [(one, {"drill": one.entry.drill, "asset": one.entry.asset, "scenario": one.entry.scenario}) for one in done]
    return {
        "undone": [{**facts, "notes": list(one.notes)} for one, facts in told if one.failed is None],
        "failed": [{**facts, "why": str(one.failed)} for one, facts in told if one.failed is not None],
        "ok": all(one.failed is None for one in done),
    }


def standing_document(found: Standing, drill: PastDrill | None, objectives: tuple[float, float]) -> Document:
    """How an asset stands; `objectives` are RPO and RTO in seconds."""
    return {
        "asset": found.asset,
        "newest": point_document(found.newest) if found.newest else None,
        "newest_verified": found.newest_verified.point if found.newest_verified else None,
        "rpo_s": found.rpo_s,
        "rpo_objective_s": objectives[0],
        "rto_objective_s": objectives[1],
        "last_drill": _past_drill(drill),
        "problems": list(found.problems),
        "ok": not found.problems,
    }


def _past_drill(drill: PastDrill | None) -> Document | None:
    if drill is None:
        return None
    return {
        "drill": drill.drill,
        "verdict": drill.verdict,
        "finished_at": drill.finished_at,
        "rpo_s": drill.rpo_s,
        "rto_s": drill.rto_s,
        "evidence": drill.key,
    }

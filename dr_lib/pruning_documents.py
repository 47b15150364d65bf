"""Plain, JSON-ready documents of what a prune judged, planned and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dr_lib.format.canonical import time_text

if TYPE_CHECKING:
    from dr_lib.errors import DrError
    from dr_lib.policy.retention import Verdict
    from dr_lib.workflows.prune.first_phase import Locked, Proposal
    from dr_lib.workflows.prune.region import RegionPruned, Waiting
    from dr_lib.workflows.prune.second_phase import Executed

Document = dict[str, Any]


def judged_document(asset: str, verdicts: Sequence[Verdict], refused: DrError | None) -> Document:
    """An asset's points, newest first, and why each stays; `reasons` is empty for one that may go."""
    points = [{"point": v.point, "expires": v.expires, "reasons": list(v.reasons)} for v in verdicts]
    return {"asset": asset, "points": points, "refused": None if refused is None else str(refused)}


def region_document(found: RegionPruned) -> Document:
    """What was done in a region, or would be."""
    return {
        "region": found.region,
        "executed": [_executed(one) for one in found.executed],
        "due": [_waiting(one) for one in found.due],
        "waiting": [_waiting(one) for one in found.waiting],
        "proposed": None if found.proposal is None else _proposal(found.proposal),
        "plan": None if found.written is None else found.written.id,
        "warnings": list(found.warnings),
    }


def _executed(done: Executed) -> Document:
    return {
        "plan": done.plan.id,
        "state": done.state,
        "points": [name.point for name in done.points],
        "kept": [name.point for name in done.kept],
        "objects": done.objects,
        "bytes": done.bytes,
        "locked": [_locked(one) for one in done.locked],
    }


def _waiting(one: Waiting) -> Document:
    return {
        "plan": one.plan.id,
        "due_at": time_text(one.due_at),
        "points": [point for _, point in one.plan.points],
        "objects": len(one.plan.objects),
        "bytes": sum(doomed.size for doomed in one.plan.objects),
    }


def _proposal(found: Proposal) -> Document:
    return {
        "points": [{"asset": name.asset, "point": name.point} for name in found.points],
        "objects": len(found.objects),
        "bytes": found.bytes,
        "locked": [_locked(one) for one in found.locked],
        "held_up": list(found.held_up),
    }


def _locked(one: Locked) -> Document:
    return {"key": one.key, "until": time_text(one.until)}

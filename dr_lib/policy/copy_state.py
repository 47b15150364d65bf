"""The state of a copy, recomputed from what the vault holds: never from what a job intended."""

from __future__ import annotations

from collections.abc import Sequence

from dr_lib.model.copy import Copy, CopyState, Verification

FULL = "full"


def derive(region: str, verifications: Sequence[Verification | None], *, committed: bool, planned: bool) -> Copy:
    """State of one point's copy in a region that answered.

    `verifications` are this copy's, in order of time. The newest word counts: damage found by any mode stands until
    a later full verification finds the copy whole; only a full one makes it `verified`. One that cannot be read (None)
    takes a `verified` back, for it may have found damage, and nothing else.
    """
    if not committed:
        return Copy(region, CopyState.PENDING if planned else CopyState.MISSING)
    state, verified_at, detail = CopyState.COMPLETE, None, None
    for verification in verifications:
        if verification is None:
            if state is not CopyState.DAMAGED:
                state, verified_at, detail = CopyState.COMPLETE, None, "the word of a verification of it is damaged"
        elif not verification.ok:
            state, verified_at, detail = CopyState.DAMAGED, None, verification.findings[0]
        elif verification.mode == FULL:
            state, verified_at, detail = CopyState.VERIFIED, verification.finished_at, None
    return Copy(region, state, verified_at, detail)

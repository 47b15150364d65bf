"""Whether an endpoint's lease may be taken. Pure decisions; `vault/leases.py` holds the records."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dr_lib.model.serving import Lease, Site

CLOCKS_DIFFER: Final = timedelta(seconds=30)
"""The most that two machines' clocks may differ by. A claimant waits that much longer than the lease says."""

GONE_ON_WITHIN: Final = timedelta(minutes=10)
"""After the end of a lease, in which its own holder goes on with what it was doing."""


def objection(newest: Lease | None, holder: str, now: datetime) -> str | None:
    """Why `holder` may not take the lease now; None when it may.

    A lease that ended, or that nobody renewed, may be taken by anybody; one that goes on by its holder alone, which
    goes on with what it began.
    """
    if newest is None or newest.done or newest.holder == holder or now > newest.until + CLOCKS_DIFFER:
        return None
    left = newest.until + CLOCKS_DIFFER - now
    doing = f"{newest.holder} holds it, moves to the {newest.to}, and is at `{newest.step}`"
    return f"{doing}; free in {left.total_seconds():.0f} s at the latest"


def resumes(newest: Lease | None, holder: str, to: Site, now: datetime) -> bool:
    """Whether taking the lease goes on with what its record began. What died long ago is not gone on with: the world is
    another one, and is to be looked at afresh."""
    if newest is None or newest.done or newest.holder != holder or newest.to is not to:
        return False
    return now <= newest.until + GONE_ON_WITHIN

"""One wording for every refusal of a source: what is wrong, the first few that are, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence

from dr_lib.errors import SourceUnstable

SHOWN = 5


def unstable(what: str, offenders: Sequence[str], *, url: str, hint: str) -> SourceUnstable:
    """The error to raise for `offenders` (already fit to print, one each) of the source at `url`."""
    shown = ", ".join(offenders[:SHOWN])
    more = f" and {len(offenders) - SHOWN} more" if len(offenders) > SHOWN else ""
    return SourceUnstable(f"{what} ({len(offenders)}): {shown}{more}", where=url, hint=hint)

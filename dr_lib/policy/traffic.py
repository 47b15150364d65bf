"""Whether traffic may be moved, and whether it should be. Pure decisions over what was observed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dr_lib.model.serving import Site, Traffic
from dr_lib.policy.health import Verdict

_FAILING = (Verdict.DOWN, Verdict.WRONG)


class Due(StrEnum):
    """What a look at an endpoint calls for."""

    NOTHING = "nothing"
    ASK = "ask"
    """A person decides."""
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Look:
    """An endpoint as it was seen: who serves it, and how each site stands."""

    traffic: Traffic
    verdicts: dict[Site, Verdict]

    def of(self, site: Site) -> Verdict:
        """How that site stands."""
        return self.verdicts.get(site, Verdict.UNKNOWN)


def due(look: Look, *, is_automatic: bool) -> Due:
    """What to do about the site that serves.

    A primary that is down is failed over from; one that answers wrongly is a person's to judge, and so is a standby
    that fails while it serves, because nothing may swing back by itself.
    """
    if look.traffic.sites != {Site.PRIMARY} or look.of(Site.PRIMARY) not in _FAILING:
        return Due.NOTHING
    return Due.ACT if is_automatic and look.of(Site.PRIMARY) is Verdict.DOWN else Due.ASK


def objection(look: Look, to: Site, *, is_planned: bool) -> str | None:
    """Why traffic may not be moved to `to`; None when it may.

    From a primary that is not known to fail it is moved only when that is planned; back to it whenever a person asks.
    """
    if to is Site.PRIMARY:
        return None
    left = look.of(to.other)
    if is_planned or look.traffic.sites != {to.other} or left in _FAILING:
        return None
    if left is Verdict.HEALTHY:
        return f"the {to.other} serves and answers rightly"
    return f"the {to.other} serves, and whether it fails is not certain: {left}"

"""Restores that are asked for: what one would bring, and the word of who allowed it, kept where it cannot be lost."""

from __future__ import annotations

from dr_lib.catalog.answers import choose_point, kept_in, open_ones, raise_first
from dr_lib.catalog.observe import observe
from dr_lib.errors import DrError, Refused
from dr_lib.format.layout import manifest_key
from dr_lib.model.authorisation import Decision
from dr_lib.model.region import Role
from dr_lib.policy.authorisation import objection
from dr_lib.policy.choice import LATEST
from dr_lib.use_cases.moments import moment
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.events import add_event

RESTORE = "restore"


class Authorising(OverConfig):
    """Asked-for restores."""

    def plan_restore(
        self, asset: str, point: str = LATEST, at: str | None = None, region: str | None = None
    ) -> Document:
        """What a restore would bring, from where, and why there; nothing is fetched but summaries.

        `{"asset", "point", "created_at", "region", "why", "bytes", "stored_bytes", "files"}`. Raises as a restore.
        """
        facts = self.config.asset(asset)
        regions = [self.config.region(region).name] if region else list(facts.regions)
        answers = self._wiring.answers(regions)
        choice = choose_point(asset, observe(asset, answers), point, moment(at))
        chosen = choice.regions[0]
        copy = choice.point.copy_in(chosen)
        silent = [name for name, answer in answers.items() if isinstance(answer, DrError)]
        why = "named in the form" if region else f"the first of {', '.join(regions)} with a {copy.state} copy"
        return {
            "asset": asset,
            "point": choice.point.point,
            "created_at": choice.point.created_at.isoformat(),
            "region": chosen,
            "why": why + (f"; {', '.join(silent)} did not answer" if silent else ""),
            "bytes": choice.point.logical_bytes,
            "stored_bytes": choice.point.stored_bytes,
            "files": choice.point.files,
        }

    def authorise_restore(
        self, asset: str, point: str, decision: Decision, *, requester: str, reason: str, ticket: str, target: str
    ) -> Document:
        """Leave the decision in every region that answers, then say whether the restore may begin.

        `{"events": {region: key}, "by", "word"}`. `Refused` (7) when it may not, after the word was left; raises the
        first region's error when none took it: what cannot be written down does not happen.
        """
        facts = self.config.asset(asset)
        now = self._wiring.clock()
        why = objection(requester, decision)
        said = {
            "decision": decision.word, "by": decision.by, "decided": decision.at, "requester": requester,
            "reason": reason, "ticket": ticket, "target": target, "objection": why or "",
        }  # fmt: skip
        answers = self._wiring.answers(facts.regions, Role.VERIFIER)
        failed = [answer for answer in answers.values() if isinstance(answer, DrError)]
        kept: dict[str, str] = {}
        for vault in open_ones(answers, facts.regions):
            with kept_in(failed):
                vault.store.head(manifest_key(asset, point))
                kept[vault.region] = add_event(vault, RESTORE, asset, point, now, said)
        if not kept:
            raise_first(failed)
        if why is not None:
            raise Refused(f"this restore may not begin: {why}", hint="ask again, and have somebody else approve it")
        return {"events": kept, "by": decision.by, "word": decision.word}

"""Drills."""

from __future__ import annotations

from dr_lib import documents
from dr_lib.catalog.answers import kept_in, open_or_raise, raise_first
from dr_lib.errors import DrError
from dr_lib.model.region import Role
from dr_lib.use_cases.moments import moment
from dr_lib.use_cases.over_config import Document, OverConfig


class Drilling(OverConfig):
    """Drills. What they need is imported when one is run."""

    def drill(
        self,
        asset: str,
        scenario: str | None = None,
        region: str | None = None,
        disaster_at: str | None = None,
    ) -> Document:
        """Run a drill and store its evidence in every surviving region that takes it.

        A failed drill is a document, not an error; evidence that no region took is an error.
        """
        from dr_lib.standby.opening import open_standby
        from dr_lib.vault.evidence import record_evidence
        from dr_lib.workflows.drill.course import World
        from dr_lib.workflows.drill.drill import drill

        facts = self.config.asset(asset)
        lost = self.config.region(region).name if region else facts.regions[0]
        policy = self.config.standby(facts.drill.standby)
        world = World(
            answers=lambda: self._wiring.answers(facts.regions),
            survival_kit=self._wiring.survival_kit,
            forbidden=self._wiring.forbidden,
            standby=lambda name: open_standby(policy, self._wiring.standby_root, name),
            clock=self._wiring.clock,
        )
        report = drill(facts, scenario or facts.drill.scenario, lost, moment(disaster_at), world)
        survivors = [name for name in facts.regions if name != lost]
        kept: dict[str, str] = {}
        failed: list[DrError] = []
        for answer in self._wiring.answers(survivors, Role.VERIFIER).values():
            with kept_in(failed):
                vault = open_or_raise(answer)
                kept[vault.region] = record_evidence(vault, report)
        if not kept:
            raise_first(failed)
        return documents.drill_document(report, kept)

"""Drills: running one, undoing what one left, and how every scenario stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dr_lib import documents
from dr_lib.catalog.answers import open_ones, raise_first
from dr_lib.errors import DrError
from dr_lib.model.asset import Asset
from dr_lib.model.region import Role
from dr_lib.policy.drill_plan import next_scenario, planned
from dr_lib.telemetry import workflow
from dr_lib.use_cases.moments import moment
from dr_lib.use_cases.over_config import Document, OverConfig

if TYPE_CHECKING:
    from dr_lib.model.drill import DrillReport


class Drilling(OverConfig):
    """Drills. What they need is imported when one is run."""

    @workflow("drill")
    def drill(
        self,
        asset: str,
        scenario: str | None = None,
        region: str | None = None,
        disaster_at: str | None = None,
    ) -> Document:
        """Undo what earlier drills left, run a drill, undo it, and store its evidence in every surviving region.

        Without `scenario` the asset's plan says which is due. A failed drill is a document, not an error; evidence that
        no region took is an error.
        """
        from dr_lib.use_cases.drill_results import digest_of
        from dr_lib.use_cases.rehearsing import world_of
        from dr_lib.workflows.drill.drill import Order, drill

        facts = self.config.asset(asset)
        lost = self.config.region(region).name if region else facts.regions[0]
        chosen = scenario or (facts.drill.scenario if disaster_at else self._due(facts))
        order = Order(facts, chosen, lost, moment(disaster_at), digest_of(facts))
        report = drill(order, world_of(self._wiring, facts, chosen, lost))
        return self._recorded(facts, report)

    @workflow("undo-drills")
    def undo_drills(self) -> Document:
        """Undo and remove what drills left that are dead; safe to repeat.

        `{"undone": […], "failed": […], "unswept": [why], "ok": bool}`; what is unswept are standbys.
        """
        from dr_lib.standby.opening import sweep_standbys
        from dr_lib.use_cases.rehearsing import journal_of, tools_of
        from dr_lib.workflows.drill.undo import undo_leftovers

        journal = journal_of(self._wiring)
        done = undo_leftovers(journal, lambda entry: tools_of(self._wiring, journal, entry))
        unswept = sweep_standbys(self.config.standbys.values(), self._wiring.standby_root)
        document = documents.undone_document(done)
        return document | {"unswept": unswept, "ok": document["ok"] and not unswept}

    def drills(self, asset: str | None = None) -> Document:
        """How every scenario of the assets' plans stands. `{"assets": [{"asset", "scenarios": […], "problems"}]}`."""
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        return {"assets": [self._matrix(self.config.asset(name)) for name in names]}

    def _matrix(self, asset: Asset) -> Document:
        from dr_lib.use_cases.drill_results import matrix, results

        told = results(asset, self._wiring.answers(asset.regions))
        return {"asset": asset.name, **matrix(asset, self.config.encryption, told, self._wiring.clock())}

    def _due(self, asset: Asset) -> str:
        plan = planned(asset, self.config.encryption)
        if len(plan) == 1:
            return plan[0]
        from dr_lib.use_cases.drill_results import results

        found, _ = results(asset, self._wiring.answers(asset.regions))
        return next_scenario(plan, {name: past.finished_at for name, past in found.items()})

    def _recorded(self, asset: Asset, report: DrillReport) -> Document:
        from dr_lib.use_cases.foretelling import predicted
        from dr_lib.workflows.evidence.keep import keep
        from dr_lib.workflows.evidence.prove import locks_of

        survivors = [name for name in asset.regions if name != report.lost_region]
        answers = self._wiring.answers(survivors, Role.VERIFIER)
        vaults = open_ones(answers, survivors)
        told = replace(report, predicted=predicted(vaults, report))
        kept, failed = keep(vaults, told)
        if not kept:
            raise_first([answer for answer in answers.values() if isinstance(answer, DrError)] + failed)
        locks = locks_of([vault for vault in vaults if vault.region in kept], next(iter(kept.values())))
        return documents.drill_document(told, kept) | {"evidence_locks": locks}

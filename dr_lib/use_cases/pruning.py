"""Letting points go that no rule keeps: judged over all regions, planned and deleted region by region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dr_lib.catalog.answers import kept_in, open_ones, raise_first
from dr_lib.catalog.judged_points import judged_points
from dr_lib.catalog.observe import Answer
from dr_lib.errors import DrError, Refused
from dr_lib.format.layout import PointName
from dr_lib.model.asset import Asset
from dr_lib.model.orchestrator import NAME as ORCHESTRATOR
from dr_lib.policy.retention import Verdict, decide, keeps_nothing
from dr_lib.pruning_documents import judged_document, region_document
from dr_lib.telemetry import span, workflow
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.opening import open_vault
from dr_lib.vault.terms import refuse_before_go
from dr_lib.workflows.prune.first_phase import Decision, Scope
from dr_lib.workflows.prune.region import RegionPruned, prune_region
from dr_lib.workflows.prune.second_phase import Budget


@dataclass
class _Judged:
    """Verdicts by asset; an asset that must not be pruned has none that lets a point go."""

    verdicts: dict[str, tuple[Verdict, ...]] = field(default_factory=dict)
    refused: dict[str, DrError] = field(default_factory=dict)

    def decision(self) -> Decision:
        """What may go and what stays, over the assets that were judged."""
        names = [(PointName(asset, v.point), v.expires) for asset, found in self.verdicts.items() for v in found]
        going = frozenset(name for name, goes in names if goes and name.asset not in self.refused)
        return Decision(going, frozenset(name for name, _ in names) - going)


class Pruning(OverConfig):
    """Letting points go that no rule keeps: judged over all regions, planned and deleted region by region."""

    @workflow("prune")
    def prune(self, asset: str | None = None, region: str | None = None, *, apply: bool = False) -> Document:
        """Judge the points of one asset or all; then, region by region, delete what plans name whose grace period is
        over, and plan what may go now. Without `apply` nothing is written: the answer says what would be done.

        Every region and asset has its turn. What could not be done is in `problems`, and the exit code of the first of
        them in `exit_code`; it is raised when nothing could. That is 7 for an asset of which its policy would keep
        nothing, and for a region of which not every manifest can be read; both stay as they are. Interrupted anywhere,
        the same call goes on.
        """
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        own = dict.fromkeys(name for found in names for name in self.config.asset(found).regions)
        regions = [self.config.region(region).name] if region else list(own)
        answers = self._wiring.answers(list(dict.fromkeys([*own, *regions])))
        if apply:
            self._refuse_before_go(answers)
        judged = self._judge(names, answers)
        failed = list(judged.refused.values())
        pruned: list[RegionPruned] = []
        for name in regions:
            with kept_in(failed), span("prune.region", region=name):
                pruned.append(self._prune_region(name, asset or "", judged.decision(), apply=apply))
        failed += [one.failed for one in pruned if one.failed is not None]
        if not pruned:
            raise_first(failed)
        return {
            "applied": apply,
            "grace_s": self.config.prune.grace.total_seconds(),
            "assets": [judged_document(n, judged.verdicts[n], judged.refused.get(n)) for n in names],
            "regions": [region_document(one) for one in pruned],
            "problems": [str(error) for error in failed],
            "exit_code": failed[0].exit_code if failed else 0,
        }

    def _refuse_before_go(self, answers: Mapping[str, Answer]) -> None:
        """The term stands in the orchestrator's regions, whichever are pruned."""
        more = [] if self.config.orchestrator is None else list(self.config.asset(ORCHESTRATOR).regions)
        known = {**self._wiring.answers([name for name in more if name not in answers]), **answers}
        refuse_before_go(open_ones(known, list(known)))

    def _judge(self, names: list[str], answers: Mapping[str, Answer]) -> _Judged:
        judged = _Judged()
        for name in names:
            asset = self.config.asset(name)
            points = judged_points(name, {region: answers[region] for region in asset.regions})
            verdicts = decide(points, asset.retention, self._wiring.clock())
            judged.verdicts[name] = verdicts
            if keeps_nothing(verdicts):
                judged.refused[name] = _refusal(asset, verdicts)
        return judged

    def _prune_region(self, region: str, asset: str, decision: Decision, *, apply: bool) -> RegionPruned:
        limits = self.config.prune
        janitor = self._wiring.janitor(region)
        vault = open_vault(region, janitor, self._wiring.keys)
        scope = Scope(vault, janitor, asset, self._wiring.clock(), limits.grace)
        return prune_region(scope, decision, Budget(limits.objects, limits.bytes), apply=apply)


def _refusal(asset: Asset, verdicts: tuple[Verdict, ...]) -> Refused:
    going = sum(v.expires for v in verdicts)
    return Refused(
        f"the retention of {asset.name!r} would let {going} of {len(verdicts)} points go and keeps none itself",
        where=f"assets.{asset.name}.retention in dr.yaml",
        hint="either the policy is a mistake, or no backup has been made for longer than it keeps any: mend that first",
    )

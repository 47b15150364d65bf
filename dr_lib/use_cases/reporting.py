"""What there is, how it stands, and what is missing here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from dr_lib import documents
from dr_lib.catalog.answers import kept_in, open_ones
from dr_lib.catalog.judged_points import UNNAMED
from dr_lib.catalog.observe import Answer, observe
from dr_lib.errors import DrError
from dr_lib.format.canonical import time_text
from dr_lib.keys import SecretSource
from dr_lib.model.asset import Asset
from dr_lib.model.check import Check
from dr_lib.model.copy import CopyState
from dr_lib.policy.exposure import exposure
from dr_lib.policy.rpo import newest_verified, rpo_seconds
from dr_lib.policy.separation import unseparated
from dr_lib.use_cases.looking import look_at
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.holds import holds
from dr_lib.vault.kits import MISSING, newest_kit
from dr_lib.vault.vault import Vault
from dr_lib.wiring import SHELF
from dr_lib.workflows.doctor import endpoints, examine, failed
from dr_lib.workflows.keys.roles import check_keys


class Reporting(OverConfig):
    """What there is, how it stands, and what is missing here."""

    def points(self, asset: str | None = None) -> list[Document]:
        """Points of one asset or all, newest first within an asset, with every copy's state and lock as observed."""
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        return [document for name in names for document in self._points(name)]

    def status(self) -> Document:
        """How every asset stands against its objectives, recomputed from what the regions hold."""
        answers = self._wiring.answers(list(self.config.regions))
        found = [self._standing(asset, answers) for asset in self.config.assets.values()]
        return {"assets": found, "ok": all(item["ok"] for item in found)}

    def verified_point(self, asset: str, region: str | None = None) -> Document:
        """The newest verified point of an asset, in any of its regions or in that one, as they are now.

        `{"point", "created_at", "age_s", "regions", "silent"}`; without one the first three are None, `regions` empty.
        """
        facts = self.config.asset(asset)
        regions = [self.config.region(region).name] if region else list(facts.regions)
        known = observe(asset, self._wiring.answers(regions))
        now = self._wiring.clock()
        found = newest_verified(known.points, regions, now)
        holding = [] if found is None else [c.region for c in found.copies if c.state is CopyState.VERIFIED]
        return {
            "point": None if found is None else found.point,
            "created_at": None if found is None else time_text(found.created_at),
            "age_s": rpo_seconds(found, now),
            "regions": holding,
            "silent": {name: str(error) for name, error in known.silent.items()},
        }

    def doctor(self) -> Document:
        """What is missing or misconfigured here, and the fix."""
        answers = self._wiring.answers(list(self.config.regions))
        own = (*self._keys_here(), *self._drills_here(), *self._orchestrator_here(), *self._endpoints_here())
        checks = (*own, *examine(self.config, answers, self._wiring.source))
        warnings = [*exposure(self.config.encryption, self.config.signing), *unseparated(self.config.regions.values())]
        warnings += _kitless(open_ones(answers, list(answers))) if self._wiring.environ.get(SHELF) != "none" else []
        return {"checks": [asdict(one) for one in checks], "warnings": warnings, "ok": all(one.ok for one in checks)}

    def _keys_here(self) -> tuple[Check, ...]:
        try:
            return check_keys(self.config, self._wiring.keys)
        except DrError as error:
            return (failed("keys", error),)

    def _orchestrator_here(self) -> tuple[Check, ...]:
        """Whether Airflow itself could be saved from here; that another machine does it is no failure."""
        policy = self.config.orchestrator
        if policy is None:
            return ()
        url = SecretSource(self._wiring.environ, self._wiring.connections).text(policy.database)
        told = "can be done here" if url else f"not from here: {policy.database} leads to no database"
        return (Check("saving Airflow", True, told),)

    def _endpoints_here(self) -> tuple[Check, ...]:
        from dr_lib.serving.switches.opening import open_switch

        environ, connections = self._wiring.environ, self._wiring.connections
        return tuple(
            endpoints(self.config, lambda one: open_switch(one.switch, environ=environ, connections=connections))
        )

    def _drills_here(self) -> tuple[Check, ...]:
        """A drill that died leaves the world as its disaster had it, and this machine knows."""
        from dr_lib.use_cases.rehearsing import journal_of

        try:
            left = journal_of(self._wiring).entries()
        except DrError as error:
            return (failed("drills", error),)
        told = [f"{entry.drill} ({entry.scenario} of {entry.asset}) is under way, or died" for entry in left]
        return tuple(Check("drills", False, text, "unless it runs: drctl drill --undo") for text in told)

    def _points(self, asset: str) -> list[Document]:
        answers = self._wiring.answers(self.config.asset(asset).regions)
        known = observe(asset, answers, locks=True)
        held: defaultdict[str, set[str]] = defaultdict(set)
        for vault in open_ones(answers, [region for region in answers if region not in known.silent]):
            with kept_in([]):  # it has answered a moment ago; what it holds is asked again before anything is deleted
                for hold in holds(vault, asset):
                    held[hold.point].add(hold.name or UNNAMED)
        return [documents.point_document(point, sorted(held[point.point])) for point in known.points]

    def _standing(self, asset: Asset, answers: Mapping[str, Answer]) -> Document:
        own = {region: answers[region] for region in asset.regions}
        seen = look_at(asset, own, self.config.encryption, self._wiring.clock())
        objectives = (asset.objectives.rpo.total_seconds(), asset.objectives.rto.total_seconds())
        return {
            **documents.standing_document(seen.standing, seen.drilled, objectives),
            "scenarios": seen.plan["scenarios"],
            "reading": {region: documents.coverage_document(covered) for region, covered in seen.covered.items()},
        }


def _kitless(vaults: Sequence[Vault]) -> list[str]:
    """Regions without a recovery kit; whether one that is there is whole, `drctl kit list` tells."""
    told = []
    for vault in vaults:
        with kept_in([]):  # it has answered a moment ago
            if newest_kit(vault) is None:
                told.append(f"{vault.region}: {MISSING}")
    return told

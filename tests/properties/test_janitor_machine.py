"""The vault machine with a janitor in it, who prunes with the same mishaps and the same clock.

What is gone was let go on purpose, what is there is whole, and no asset that had a verified point ends with none.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from dr_lib.errors import IntegrityError, Refused
from dr_lib.model.asset import Retention
from dr_lib.model.prune import PrunePolicy
from dr_lib.runtime import Runtime
from dr_lib.vault.expiries import expired_points
from tests.properties.test_vault_machine import AWAY, HOME, VaultMachine, assets, mishaps
from tests.properties.vault_world import ASSETS, REGIONS, Mishap

GRACE = timedelta(hours=20)
KEEP_ONE = Retention(0, 0, 0, 0, last=1, keep_within=timedelta(0))


class JanitorMachine(VaultMachine):
    """Two writers, a replicator, a verifier, and a janitor whose policy keeps one point."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        config = self.world.config
        judged = {name: replace(asset, retention=KEEP_ONE, gates=None) for name, asset in config.assets.items()}
        self.world.config = replace(config, assets=judged, prune=PrunePolicy(grace=GRACE))

    @rule(region=st.sampled_from([None, *REGIONS]), mishap=mishaps, hours=st.integers(0, 60))
    def prune(self, region: str | None, mishap: Mishap | None, hours: int) -> None:
        """Time goes on, and whatever is old enough goes."""
        self.world.clock.advance(timedelta(hours=hours))
        verified = self.verified()
        for run in self.runs.values():
            run.forgetful = True  # it may be closed
        done = self.do(mishap, lambda runtime: runtime.prune(region=region, apply=True))
        if done is not None and mishap is None:
            assert done["problems"] == []
        assert verified <= self.verified(), "the last verified point of an asset is gone"

    @rule(asset=assets, mishap=mishaps)
    def prove(self, asset: str, mishap: Mishap | None) -> None:
        """A point that counts: without one nothing is let go."""
        self.unless_refused(mishap, lambda runtime: runtime.backup(asset))
        self.do(mishap, lambda runtime: runtime.verify(asset))

    @rule(asset=assets, regions=st.sampled_from([None, [HOME], [AWAY], [AWAY, HOME]]), mishap=mishaps)
    def back_up(self, asset: str, regions: list[str] | None, mishap: Mishap | None) -> None:
        """Refused at most until a prune that was killed goes on."""
        made = self.unless_refused(mishap, lambda runtime: runtime.backup(asset, regions))
        for region in (regions or REGIONS) if made is not None else ():
            assert (region, asset, made["point"]) in self.world.committed()

    @rule(asset=assets, mishap=mishaps)
    def replicate(self, asset: str, mishap: Mishap | None) -> None:
        """What expired in a region is not copied there again, so that the regions need not be equal."""
        self.unless_refused(mishap, lambda runtime: runtime.replicate(asset))

    @invariant()
    def every_point_is_whole_and_none_is_lost(self) -> None:
        now = self.world.committed()
        for region, asset, point in self.seen - now:
            vault = self.world.process()._wiring.vault(region)
            assert point in expired_points(vault, asset), "a committed point is gone, and nobody let it go"
        self.seen &= now
        super().every_point_is_whole_and_none_is_lost()

    def verified(self) -> set[str]:
        """Assets that have a verified point."""
        runtime = self.world.process()
        return {a for a in ASSETS if any("verified" in p["copies"].values() for p in runtime.points(a))}

    def do(self, mishap: Mishap | None, work: Callable[[Runtime], Any]) -> Any:
        """A writer whose packs went while it stood still is refused as well; its run is given up then."""
        try:
            return super().do(mishap, work)
        except IntegrityError as error:
            if any(work is step for run in self.runs.values() for step in run.steps if run.forgetful):
                raise Refused(error.what, where=error.where) from error
            raise

    def unless_refused(self, mishap: Mishap | None, work: Callable[[Runtime], Any]) -> Any:
        """As `do`; None when a prune that was killed amid its work stands in the way, which then goes on."""
        try:
            return self.do(mishap, work)
        except Refused as error:
            refused = error
        assert "a prune is deleting" in refused.what
        assert self.do(None, lambda runtime: runtime.prune(apply=True))["problems"] == []
        return None


JanitorMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("DR_MACHINE_RUNS", "10")),
    stateful_step_count=int(os.environ.get("DR_MACHINE_STEPS", "20")),
    derandomize="DR_MACHINE_RUNS" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    print_blob=True,
)
TestJanitorMachine = JanitorMachine.TestCase

"""Re-reading copies over assets and regions."""

from __future__ import annotations

from dr_lib import documents
from dr_lib.catalog.answers import kept_in, open_or_raise, raise_first
from dr_lib.catalog.observe import observe
from dr_lib.errors import DrError, NotFound, UsageError
from dr_lib.model.copy import CopyState, Verification
from dr_lib.progress import SILENT, Progress
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.expiries import expired_points
from dr_lib.vault.vault import Vault
from dr_lib.workflows.verify import Mode, verify


class Verifying(OverConfig):
    """Re-reading copies over assets and regions."""

    def verify(
        self,
        asset: str | None = None,
        point: str | None = None,
        region: str | None = None,
        mode: str = Mode.FULL.value,
        progress: Progress = SILENT,
        *,
        unverified: bool = False,
    ) -> Document:
        """Verify copies: of one asset or all, one point or all, one region or all. Damage is in the results.

        With `unverified` copies that a full verification has found whole are left out. Regions that do not answer, or
        stop answering, are left to the end: their error is raised when all others are done.
        """
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        wanted = _mode(mode)
        results: list[Verification] = []
        failed: list[DrError] = []
        for name in names:
            regions = [self.config.region(region).name] if region else list(self.config.asset(name).regions)
            for found in self._wiring.answers(regions).values():
                with kept_in(failed):
                    vault = open_or_raise(found)
                    due = self._due(vault, name, point, unverified=unverified)
                    results += verify(vault, name, due, wanted, progress, self._wiring.clock) if due else ()
        raise_first(failed)
        if point is not None and not results and not unverified:
            raise NotFound(f"no region holds a point {point!r}", hint="`drctl points` lists what there is")
        return {"results": [documents.verification_document(r) for r in results]}

    def _due(self, vault: Vault, asset: str, point: str | None, *, unverified: bool) -> list[str]:
        """Points of a vault to verify. A copy found damaged is due again: its alarm stands until it is healed."""
        # A point that was verified here once and has no manifest any more was lost, and verification says so, unless a
        # prune said that it expired.
        expired = expired_points(vault, asset)
        seen = {event.point for event in vault.events(asset) if event.point not in expired}
        seen |= {name.point for name in vault.points(asset)}
        points = sorted(name for name in seen if point in (None, name))
        if not unverified:
            return points
        known = observe(asset, {vault.region: vault}).points
        fine = {p.point for p in known if p.copy_in(vault.region).state is CopyState.VERIFIED}
        return [name for name in points if name not in fine]


def _mode(text: str) -> Mode:
    if text not in list(Mode):
        raise UsageError(f"no verification mode is called {text!r}", hint=f"modes: {', '.join(Mode)}")
    return Mode(text)

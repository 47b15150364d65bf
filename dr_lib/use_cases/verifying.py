"""Re-reading copies over assets and regions."""

from __future__ import annotations

from collections.abc import Collection

from dr_lib import documents
from dr_lib.catalog.answers import kept_in, open_or_raise, raise_first
from dr_lib.catalog.observe import Answer, observe
from dr_lib.errors import DrError, NotFound, UsageError
from dr_lib.model.copy import CopyState
from dr_lib.model.region import Role
from dr_lib.progress import SILENT, Progress
from dr_lib.telemetry import span, workflow
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.vault import Vault
from dr_lib.workflows.backup.records import check_record
from dr_lib.workflows.verify.verify import Asked, Mode, Verified, verify


class Verifying(OverConfig):
    """Re-reading copies over assets and regions."""

    @workflow("verify")
    def verify(
        self,
        asset: str | None = None,
        point: str | None = None,
        region: str | None = None,
        mode: str = Mode.FULL.value,
        progress: Progress = SILENT,
        *,
        unverified: bool = False,
        percent: float | None = None,
    ) -> Document:
        """Verify copies: of one asset or all, one point or all, one region or all. Damage is in the document.

        With `unverified` copies that a full verification has found whole are left out. `percent` is how much a sample
        reads; without it as much as `verify.within` of the asset takes. Regions that do not answer, or stop answering,
        are left to the end: their error is raised when all others are done.
        """
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        wanted = _mode(mode, percent)
        done: list[Verified] = []
        failed: list[DrError] = []
        for name in names:
            regions = [self.config.region(region).name] if region else list(self.config.asset(name).regions)
            for place, found in self._wiring.answers(regions, Role.VERIFIER).items():
                with kept_in(failed), span("verify.region", asset=name, region=place):
                    fine = _verified(found, name) if unverified else ()
                    done.append(self._verified(found, name, wanted, point, fine, percent, progress))
        raise_first(failed)
        results = [result for one in done for result in one.results]
        if point is not None and not results and not unverified:
            raise NotFound(f"no region holds a point {point!r}", hint="`drctl points` lists what there is")
        return {
            "results": [documents.verification_document(result) for result in results],
            "runs": [documents.scrub_document(one.scrub, one.coverage, ok=one.ok) for one in done],
            "ok": all(one.ok for one in done),
        }

    def _verified(
        self,
        answer: Answer,
        asset: str,
        mode: Mode,
        point: str | None,
        fine: Collection[str],
        percent: float | None,
        progress: Progress,
    ) -> Verified:
        vault = open_or_raise(answer)
        points = None if point is None else (point,)
        asked = Asked(mode, points, fine, self.config.asset(asset).verify_within, percent)
        cache = self._wiring.summaries(vault.region, asset)
        return verify(vault, asset, asked, progress, self._wiring.clock, cache, check_record)


def _verified(answer: Answer, asset: str) -> Collection[str]:
    """Points whose copy a full verification found whole. One found damaged is due again: its alarm stands until it is
    healed."""
    vault: Vault = open_or_raise(answer)
    known = observe(asset, {vault.region: vault}).points
    return {p.point for p in known if p.copy_in(vault.region).state is CopyState.VERIFIED}


def _mode(text: str, percent: float | None) -> Mode:
    if text not in list(Mode):
        raise UsageError(f"no verification mode is called {text!r}", hint=f"modes: {', '.join(Mode)}")
    if percent is not None and text != Mode.SAMPLE:
        raise UsageError("--percent says how much a sample reads", hint="give --mode sample")
    if percent is not None and not 0 < percent <= 100:
        raise UsageError(f"{percent:g} is no percentage", hint="write a number above 0, at most 100")
    return Mode(text)

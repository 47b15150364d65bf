"""Points that the gates found to be unlike the ones before: seeing them, and trusting them again."""

from __future__ import annotations

from dr_lib import documents
from dr_lib.catalog.answers import kept_in, open_or_raise, raise_first
from dr_lib.errors import DrError, NotFound, UsageError
from dr_lib.model.region import Role
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.holds import holds, quarantines
from dr_lib.vault.vault import Vault
from dr_lib.workflows.quarantine import end_quarantine


class Distrusting(OverConfig):
    """Points that the gates found to be unlike the ones before: seeing them, and trusting them again."""

    def quarantined(self, asset: str | None = None) -> list[Document]:
        """Points in quarantine of one asset or all, newest first, with the reason and the points held because of them.

        Also those that were never committed. The first error of a region that does not answer is raised: what is
        quarantined there is not known.
        """
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        found: list[Document] = []
        for name in names:
            answers = self._wiring.answers(self.config.asset(name).regions)
            vaults = [open_or_raise(answer) for answer in answers.values()]
            found += _of_asset(name, vaults)
        return found

    def clear_quarantine(self, asset: str, point: str, reason: str, *, holds_only: bool = False) -> Document:
        """Trust a point again in every region, and end the holds that it caused; with `holds_only` the holds alone.

        When a region does not answer, the point is trusted in the others, no hold ends, and its error is raised then:
        give the command again when it is back. `NotFound` when there is nothing to end. Safe to repeat.
        """
        if not reason.strip():
            raise UsageError("nobody will know why", hint="say what you found: --reason 'a planned retraining'")
        vaults: list[Vault] = []
        failed: list[DrError] = []
        for answer in self._wiring.answers(self.config.asset(asset).regions, Role.VERIFIER).values():
            with kept_in(failed):
                vaults.append(open_or_raise(answer))
        clock = self._wiring.clock
        ended = end_quarantine(vaults, asset, point, reason, clock, trust=not holds_only, release=not failed)
        raise_first(failed)
        if not any(one.cleared or one.released for one in ended):
            raise NotFound(
                f"there is nothing to end: {point} of {asset} is not in quarantine, or its holds are over",
                hint=f"`drctl quarantine list {asset}` shows what is",
            )
        return documents.ended_document(asset, point, ended)


def _of_asset(asset: str, vaults: list[Vault]) -> list[Document]:
    known = {vault.region: quarantines(vault, asset) for vault in vaults}
    points = sorted({point for found in known.values() for point in found}, reverse=True)
    if not points:
        return []
    held = [hold for vault in vaults for hold in holds(vault, asset)]
    committed = {name.point for vault in vaults for name in vault.points(asset)}
    return [
        documents.quarantine_document(
            {region: found[point] for region, found in known.items() if point in found},
            held,
            is_committed=point in committed,
        )
        for point in points
    ]

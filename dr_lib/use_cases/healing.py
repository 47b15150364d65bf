"""Healing a region: what is damaged or missing there is put back from what is proven."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from dr_lib import documents
from dr_lib.catalog.answers import open_ones, raise_first
from dr_lib.catalog.observe import Answer
from dr_lib.errors import IntegrityError, NotFound, Refused, StoreUnavailable, UsageError
from dr_lib.model.copy import CopyState, Verification
from dr_lib.model.region import Role
from dr_lib.policy.copy_state import derive
from dr_lib.progress import SILENT, Progress
from dr_lib.storage.base import JanitorStore
from dr_lib.telemetry import workflow
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import verifications
from dr_lib.workflows.backup.records import check_record
from dr_lib.workflows.heal.heal import Healed, Help, heal
from dr_lib.workflows.heal.record import heal_record, is_anothers, wounded_record
from dr_lib.workflows.heal.remake import Remaker
from dr_lib.workflows.heal.wounds import Mended
from dr_lib.workflows.verify.verify import Asked, Mode, Verified, verify


class Healing(OverConfig):
    """Healing a region: what is damaged or missing there is put back from what is proven."""

    @workflow("heal")
    def heal(
        self, asset: str | None = None, point: str | None = None, *, region: str, progress: Progress = SILENT
    ) -> Document:
        """Heal the copies in `region`: of one asset or all, one point or all that are damaged or incomplete there.

        What is damaged is asked of the vault: of its structure now, and of the word of earlier verifications. All that
        these points need is then judged anew. Afterwards they are verified in full (by name alone where no identity is
        at hand), and the document's `ok` is what that said. Raises `Refused` (7) when something has to be replaced and
        no janitor is known here, `StoreUnavailable` (6) when a region that may have what is missing does not answer.
        """
        facts = self.config.region(region)
        names = [self.config.asset(asset).name] if asset else self._assets_in(facts.name)
        janitor, refusal = self._janitor(facts.name)
        record = self._record(facts.name, janitor, refusal)
        answers = self._wiring.answers([facts.name, *self._others(facts.name, names)])
        vault = self._wiring.vault(facts.name, Role.WRITER)
        done = [self._heal(vault, name, point, answers, janitor, refusal, progress) for name in names]
        document = documents.healed_document(facts.name, record, [one for one, _ in done])
        checked = [found for _, verified in done for found in verified]
        results = [documents.verification_document(result) for one in checked for result in one.results]
        refused = [one.refused for one, _ in done if one.refused is not None]
        raise_first(refused)
        unhealed = [item for one, _ in done for item in one.unhealed]
        if unhealed:
            raise_first([e for e in answers.values() if isinstance(e, StoreUnavailable)])
        return {**document, "results": results, "ok": not unhealed and all(one.ok for one in checked)}

    def _heal(
        self,
        vault: Vault,
        asset: str,
        point: str | None,
        answers: Mapping[str, Answer],
        janitor: JanitorStore | None,
        refusal: Refused | None,
        progress: Progress,
    ) -> tuple[Healed, list[Verified]]:
        facts = self.config.asset(asset)
        sources = open_ones(answers, [name for name in facts.regions if name != vault.region])
        suspects = self._suspects(vault, asset, point, progress)
        if point is not None and not suspects:
            raise NotFound(f"region {vault.region} never held a point {point!r}", hint="`drctl points` lists them")
        points = tuple(suspects)
        remake = Remaker((vault, *sources), asset, points, lambda: self._wiring.source(facts))
        aid = Help(janitor, refusal, sources, check_record, remake)
        done = heal(vault, asset, suspects, aid, progress, self._wiring.clock, others=point is None)
        return done, [self._check(vault, asset, suspects, progress)] if suspects else []

    def _suspects(self, vault: Vault, asset: str, point: str | None, progress: Progress) -> Collection[str]:
        """Points that are damaged by what there is now, or by the word of an earlier verification."""
        asked = Asked(Mode.STRUCTURE, None if point is None else (point,))
        cache = self._wiring.summaries(vault.region, asset)
        found = verify(vault, asset, asked, progress, self._wiring.clock, cache)
        if point is not None:
            return {result.point for result in found.results}
        words = verifications(vault, asset)
        here = {result.point for result in found.results}
        damaged = {name for name in here if _is_damaged(vault.region, words.get(name, ()))}
        return damaged | {result.point for result in found.results if not result.ok}

    def _check(self, vault: Vault, asset: str, points: Collection[str], progress: Progress) -> Verified:
        """In full; without an identity every object by its name, which does not take a copy's `damaged` back."""
        able = not vault.access.sealed or bool(vault.keys.identities)
        asked = Asked(Mode.FULL, points) if able else Asked(Mode.SAMPLE, points, percent=100)
        opened = self._wiring.vault(vault.region, Role.VERIFIER)
        return verify(opened, asset, asked, progress, self._wiring.clock)

    def _record(self, region: str, janitor: JanitorStore | None, refusal: Refused | None) -> Mended | None:
        """The vault's own record, without which nothing else can be opened."""
        store = self._wiring.store(region, Role.WRITER)
        if wounded_record(store) is None and not is_anothers(region, store):
            return None
        with suppress(IntegrityError, UsageError):  # what is wrong with it; that there is no vault is let through
            self._wiring.vault(region)
        vault = Vault(region, store, self._wiring.keys, self._signers(region), self.config.region(region).lock)
        return heal_record(vault, janitor, refusal, self._wiring.clock)

    def _signers(self, region: str) -> Sequence[str]:
        """Who signs here: by the configuration, else by the other regions' records."""
        if self.config.signing is None or self._wiring.keys.trusted:
            return self._wiring.keys.trusted
        others = [name for name in self.config.regions if name != region]
        found = {vault.access.trusted for vault in open_ones(self._wiring.answers(others), others)}
        if len(found) != 1:
            what = "the vault's own record is damaged, and nobody says who signs here"
            raise UsageError(what, where=f"region {region}", hint="name the signers in `signing.trusted` of dr.yaml")
        return found.pop()

    def _janitor(self, region: str) -> tuple[JanitorStore | None, Refused | None]:
        try:
            return self._wiring.janitor(region), None
        except Refused as error:
            return None, error
        except UsageError as error:
            return None, Refused(error.what, where=error.where, hint=error.hint)

    def _assets_in(self, region: str) -> list[str]:
        return [asset.name for asset in self.config.assets.values() if region in asset.regions]

    def _others(self, region: str, assets: Sequence[str]) -> list[str]:
        wanted = {name for asset in assets for name in self.config.asset(asset).regions}
        return [name for name in self.config.regions if name in wanted and name != region]


def _is_damaged(region: str, words: Sequence[Verification | None]) -> bool:
    state = derive(region, words, committed=True, planned=False).state
    return state is CopyState.DAMAGED

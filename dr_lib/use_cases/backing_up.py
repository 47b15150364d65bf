"""Backing up, step by step or at once, and replicating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

from dr_lib import documents
from dr_lib.catalog.answers import choose_point, kept_in, open_ones, open_or_raise, raise_first
from dr_lib.catalog.observe import Answer, observe
from dr_lib.clock import monotonic
from dr_lib.errors import DrError, NotFound, OutOfSpace, StoreUnavailable
from dr_lib.model.asset import Asset
from dr_lib.model.copy import CopyState, KnownPoint
from dr_lib.model.region import Role
from dr_lib.policy.choice import restorable_regions
from dr_lib.policy.exposure import exposure
from dr_lib.policy.shard_plan import local_shard_bytes
from dr_lib.progress import SILENT, Progress
from dr_lib.standby.environment import capture
from dr_lib.standby.proof import gate_facts, proof_basis, record_proof
from dr_lib.telemetry import span, workflow
from dr_lib.use_cases.examining import examine_uncommitted
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.chunk_index import ChunkIndex, load_index
from dr_lib.vault.closing import refuse_closed
from dr_lib.vault.vault import Vault
from dr_lib.vault.writers import refuse_without_writer_key
from dr_lib.workflows.backup.commit import Committed, commit_backup
from dr_lib.workflows.backup.gate import hold_good
from dr_lib.workflows.backup.kept import PastRun
from dr_lib.workflows.backup.plan import plan_backup
from dr_lib.workflows.backup.proof import ProofRecorder, no_facts
from dr_lib.workflows.backup.proof import record_proof as store_proof
from dr_lib.workflows.backup.records import PROOF, BackupPlan, StoredPart, load_plan, shard_name
from dr_lib.workflows.backup.shard import store_shard
from dr_lib.workflows.evidence.keep import spread
from dr_lib.workflows.replicate import replicate


class BackingUp(OverConfig):
    """Backing up, step by step or at once, and replicating."""

    @workflow("plan-backup")
    def plan_backup(self, asset: str, region: str | None = None) -> Document:
        """Freeze the source and plan a run in `region` (the asset's first that answers, when None)."""
        facts = self.config.asset(asset)
        vault = self._wiring.vault(region, Role.WRITER) if region else self._wiring.first_vault(facts.regions)
        plan = self._plan(facts, vault)
        return documents.plan_document(plan, vault.region)

    @workflow("store-shard")
    def store_shard(self, asset: str, region: str, run: str, shard: int, progress: Progress = SILENT) -> Document:
        """Store one shard of a planned run. Idempotent."""
        vault, plan = self._run(asset, region, run)
        source = self._wiring.source(self.config.asset(asset))
        part = store_shard(vault, source, plan, shard, load_index(vault), progress)
        return documents.part_document(shard, part)

    @workflow("record-proof")
    def record_proof(self, asset: str, region: str, run: str) -> Document:
        """Record what a drill will compare with. Idempotent; `note` says why there is none."""
        facts = self.config.asset(asset)
        vault, plan = self._run(asset, region, run)
        source = self._wiring.source(facts)
        part = store_proof(vault, source, plan, partial(load_index, vault), _recorder(facts))
        return {"attachments": list(part.names), "note": part.note}

    @workflow("commit-backup")
    def commit_backup(self, asset: str, region: str, run: str) -> Document:
        """Commit a run whose shards and proof are stored. Idempotent.

        An anomalous point is committed all the same, and in quarantine: see `gate` in the document.
        """
        started = monotonic()
        vault, plan = self._run(asset, region, run)
        facts = self.config.asset(asset)
        source = self._wiring.source(facts)
        seen = examine_uncommitted(facts, source, vault, plan)
        committed = commit_backup(vault, source, plan, capture() | seen.facts, gates=facts.gates)
        copies = {region: CopyState.COMPLETE.value}
        loose = self._hold_elsewhere(committed, [name for name in facts.regions if name != region])
        seconds = monotonic() - started
        return seen.noted(documents.committed_document(committed, copies, seconds, (*loose, *self._exposed())))

    @workflow("backup")
    def backup(self, asset: str, regions: Sequence[str] | None = None, progress: Progress = SILENT) -> Document:
        """Back up here and now: into the first of `regions` (the asset's) that answers, then copies to the others.

        When a copy fails the point stays committed, the other regions still get theirs, and the first failed region's
        error is raised, saying so. An anomalous point is committed in quarantine, and kept in that region alone: what
        may be a damaged source is not spread, and is copied when somebody has cleared it.
        """
        started = monotonic()
        facts = self.config.asset(asset)
        wanted = list(regions or facts.regions)
        vault = self._wiring.first_vault([self.config.region(name).name for name in wanted])
        past: list[PastRun] = []
        with span("plan", region=vault.region):
            plan = self._plan(facts, vault, here=True, seen=past)
            source = self._wiring.source(facts)
            seen = examine_uncommitted(facts, source, vault, plan)
        parts = self._store(facts, vault, plan, progress)
        known = past[0] if past else None
        with span("commit", region=vault.region, point=plan.point):
            committed = commit_backup(vault, source, plan, capture() | seen.facts, parts, facts.gates, known)
        copies = {vault.region: CopyState.COMPLETE.value}
        failed: list[DrError] = []
        others = [name for name in wanted if name != vault.region]
        loose = self._hold_elsewhere(committed, [name for name in facts.regions if name != vault.region])
        for region in others if not committed.quarantined else ():
            with kept_in(failed), span("copy", region=region, point=plan.point):
                self._replicate_or_say(asset, plan.point, vault, region, progress)
                copies[region] = CopyState.COMPLETE.value
        progress.finish()
        raise_first(failed)
        seconds = monotonic() - started
        return seen.noted(documents.committed_document(committed, copies, seconds, (*loose, *self._exposed())))

    @workflow("replicate")
    def replicate(
        self,
        asset: str,
        point: str | None = None,
        to: Sequence[str] | None = None,
        progress: Progress = SILENT,
    ) -> Document:
        """Copy a point (every point, when None) to the regions of the asset that lack it, and evidence of drills that
        they lack because they did not answer when it was written. Idempotent.

        Every region and point is tried, but none more in a region that stopped answering; the first error is raised at
        the end. A quarantined point is copied when it is named, and with its quarantine.
        """
        started = monotonic()
        facts = self.config.asset(asset)
        targets = [self.config.region(name).name for name in (to or facts.regions)]
        sources = [name for name in facts.regions if name not in targets]
        found = self._wiring.answers(sources) | self._wiring.answers(targets, Role.WRITER)
        answers = {name: found[name] for name in dict.fromkeys([*facts.regions, *targets])}
        known = observe(asset, answers)
        named = [p for p in known.points if p.point == point or (point is None and p.quarantine is None)]
        points = [p for p in named if restorable_regions(p)]
        if point is not None and not points:
            choose_point(asset, known, point)
        copied: list[Document] = []
        failed: list[DrError] = []
        for target in targets:
            with kept_in(failed), span("replicate.region", region=target):
                # One that opened and then went silent holds nobody knows what: that is not "nothing missing".
                vault = open_or_raise(known.silent.get(target, answers[target]))
                missing = [p for p in points if p.copy_in(target).state is CopyState.MISSING]
                failed += _replicate_all(answers, vault, missing, copied, progress)
        brought, unbrought = spread(open_ones(answers, list(answers)), open_ones(answers, targets), asset)
        raise_first([*failed, *unbrought])
        evidence = {region: keys for region, keys in brought.items() if keys}
        return {"asset": asset, "copied": copied, "evidence": evidence, "seconds": round(monotonic() - started, 3)}

    def _hold_elsewhere(self, committed: Committed, regions: Sequence[str]) -> tuple[str, ...]:
        """Holds on the good points of the other regions when a point is quarantined; a sentence where that failed."""
        point = committed.summary
        failed: list[str] = []
        for region, answer in self._wiring.answers(regions if committed.quarantined else (), Role.WRITER).items():
            try:
                hold_good(open_or_raise(answer), point.asset, point.point, point.created_at)
            except DrError as error:
                failed.append(f"the good points in {region} are not on hold: {error.what}")
        return tuple(failed)

    def _exposed(self) -> tuple[str, ...]:
        return exposure(self.config.encryption, self.config.signing)

    def _plan(self, asset: Asset, vault: Vault, *, here: bool = False, seen: list[PastRun] | None = None) -> BackupPlan:
        refuse_without_writer_key(vault)
        limits = self.config.limits
        local = partial(local_shard_bytes, workers=limits.workers, most=limits.shard_bytes)
        size = local if here else lambda _: limits.shard_bytes
        return plan_backup(asset, self._wiring.source(asset), vault, size, self._wiring.clock, seen)

    def _run(self, asset: str, region: str, run: str) -> tuple[Vault, BackupPlan]:
        vault = self._wiring.vault(self.config.region(region).name, Role.WRITER)
        refuse_without_writer_key(vault)
        try:
            return vault, load_plan(vault, self.config.asset(asset).name, run)
        except NotFound:
            refuse_closed(vault, asset, run)
            raise

    def _store(self, asset: Asset, vault: Vault, plan: BackupPlan, progress: Progress) -> dict[str, StoredPart]:
        """All shards of a plan on this machine's threads, then the proof, by name. After an error no shard is begun."""
        source, index = self._wiring.source(asset), load_index(vault) if any(plan.shards) else ChunkIndex()
        progress.start(sum(p.end - p.start for shard in plan.shards for p in shard), f"backup {asset.name}")
        with span("shards", shards=len(plan.shards)), ThreadPoolExecutor(self.config.limits.workers) as pool:
            jobs = {
                shard_name(number): pool.submit(store_shard, vault, source, plan, number, index, progress)
                for number in range(len(plan.shards))
            }
            try:
                for job in as_completed(jobs.values()):
                    job.result()
            finally:
                pool.shutdown(cancel_futures=True)
        known = (lambda: index) if any(plan.shards) else partial(load_index, vault)
        with span("proof"):
            proof = store_proof(vault, source, plan, known, _recorder(asset))
        return {name: job.result() for name, job in jobs.items()} | {PROOF: proof}

    def _replicate_or_say(self, asset: str, point: str, source: Vault, region: str, progress: Progress) -> None:
        try:
            replicate([source], self._wiring.vault(region, Role.WRITER), asset, point, progress)
        except DrError as error:
            said = f"{point} is committed in {source.region}, and its copy to {region} failed: {error.what}"
            hint = f"when {region} is back: drctl replicate {asset}"
            raise type(error)(said, where=error.where, hint=hint) from error


def _recorder(asset: Asset) -> ProofRecorder:
    facts = gate_facts if asset.gates is not None else no_facts
    return ProofRecorder(partial(record_proof, asset), proof_basis(asset), facts)


def _replicate_all(
    answers: Mapping[str, Answer],
    target: Vault,
    points: Sequence[KnownPoint],
    copied: list[Document],
    progress: Progress,
) -> list[DrError]:
    """Copy each point into `target` and note it in `copied`; the errors of those that failed."""
    failed: list[DrError] = []
    for point in points:
        with kept_in(failed):
            done = replicate(open_ones(answers, restorable_regions(point)), target, point.asset, point.point, progress)
            copied.append(documents.replicated_document(done))
        if failed and isinstance(failed[-1], StoreUnavailable | OutOfSpace):
            break
    return failed

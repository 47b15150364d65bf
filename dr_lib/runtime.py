"""The composition root: one configuration, wired. The command line and the Airflow plugin call nothing else.

Every method returns a plain, JSON-ready document and raises errors of `dr_lib.errors`. Nothing is opened before a
method needs it, and opening a region never waits longer than its store's time-outs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from dr_lib import documents
from dr_lib.catalog.answers import choose_point, kept_in, open_ones, open_or_raise, raise_first
from dr_lib.catalog.observe import Answer, Observation, observe
from dr_lib.clock import Clock, monotonic, utc_now
from dr_lib.config import load_config
from dr_lib.errors import DrError, NotFound, OutOfSpace, StoreUnavailable, UsageError
from dr_lib.format.layout import POINT_ID
from dr_lib.model.asset import Asset
from dr_lib.model.config import Config
from dr_lib.model.copy import CopyState, KnownPoint, Verification
from dr_lib.policy.choice import LATEST, restorable_regions
from dr_lib.policy.standing import standing
from dr_lib.progress import SILENT, Progress
from dr_lib.standby.environment import capture
from dr_lib.standby.process import ProcessStandby
from dr_lib.standby.proof import record_proof
from dr_lib.standby.smoke import SmokeRequest
from dr_lib.standby.smoke import run as run_smoke
from dr_lib.storage.credentials import Connections
from dr_lib.vault.chunk_index import load_index
from dr_lib.vault.evidence import PastDrill, last_drill, record_evidence
from dr_lib.vault.vault import Vault
from dr_lib.wiring import Wiring
from dr_lib.workflows.backup.commit import commit_backup
from dr_lib.workflows.backup.plan import plan_backup
from dr_lib.workflows.backup.proof import record_proof as store_proof
from dr_lib.workflows.backup.records import BackupPlan, load_plan
from dr_lib.workflows.backup.shard import store_shard
from dr_lib.workflows.doctor import examine
from dr_lib.workflows.drill import World, drill
from dr_lib.workflows.initialize import initialize
from dr_lib.workflows.replicate import replicate
from dr_lib.workflows.restore.restore import restore, restore_attachments
from dr_lib.workflows.verify import Mode, verify

Document = dict[str, Any]


class Runtime:
    """The use cases over one configuration. Make one with `Runtime.load`; safe to keep, holds nothing open."""

    def __init__(self, wiring: Wiring) -> None:
        """`wiring` opens what the configuration names."""
        self._wiring = wiring

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        connections: Connections | None = None,
        clock: Clock = utc_now,
    ) -> Self:
        """Wire the configuration at `path`, `DR_CONFIG`, or `dr.yaml` here; `ConfigError` (2) lists every problem.

        `connections` resolves `airflow:` credentials; without it they are refused.
        """
        surroundings = os.environ if environ is None else environ
        config = load_config(path)
        standbys = Path(surroundings.get("DR_STANDBY_DIR") or Path(tempfile.gettempdir()) / f"dr-standby-{os.getuid()}")
        return cls(Wiring(config, surroundings, connections, clock, standbys))

    @property
    def config(self) -> Config:
        """The configuration."""
        return self._wiring.config

    def initialize(self, regions: Sequence[str] | None = None) -> Document:
        """Create the vaults of `regions` (all, when None); `Refused` (7) before any change when one is not empty."""
        names = list(self.config.regions) if not regions else list(regions)
        pairs = [(self.config.region(name), self._wiring.store(name)) for name in names]
        return {"regions": initialize(pairs, self.config.encryption, self._wiring.clock)}

    def plan_backup(self, asset: str, region: str | None = None) -> Document:
        """Freeze the source and plan a run in `region` (the asset's first that answers, when None)."""
        facts = self.config.asset(asset)
        vault = self._wiring.vault(region) if region else self._wiring.first_vault(facts.regions)
        plan = self._plan(facts, vault)
        return documents.plan_document(plan, vault.region)

    def store_shard(self, asset: str, region: str, run: str, shard: int, progress: Progress = SILENT) -> Document:
        """Store one shard of a planned run. Idempotent."""
        vault, plan = self._run(asset, region, run)
        source = self._wiring.source(self.config.asset(asset))
        part = store_shard(vault, source, plan, shard, load_index(vault), progress)
        return documents.part_document(shard, part)

    def record_proof(self, asset: str, region: str, run: str) -> Document:
        """Record what a drill will compare with. Idempotent; `note` says why there is none."""
        facts = self.config.asset(asset)
        vault, plan = self._run(asset, region, run)
        source = self._wiring.source(facts)
        part = store_proof(vault, source, plan, load_index(vault), partial(record_proof, facts))
        return {"attachments": list(part.names), "note": part.note}

    def commit_backup(self, asset: str, region: str, run: str) -> Document:
        """Commit a run whose shards and proof are stored. Idempotent."""
        started = monotonic()
        vault, plan = self._run(asset, region, run)
        committed = commit_backup(vault, self._wiring.source(self.config.asset(asset)), plan, capture())
        copies = {region: CopyState.COMPLETE.value}
        return documents.committed_document(committed, copies, monotonic() - started)

    def backup(self, asset: str, regions: Sequence[str] | None = None, progress: Progress = SILENT) -> Document:
        """Back up here and now: into the first of `regions` (the asset's) that answers, then copies to the others.

        When a copy fails the point stays committed, the other regions still get theirs, and the first failed region's
        error is raised, saying so.
        """
        started = monotonic()
        facts = self.config.asset(asset)
        wanted = list(regions or facts.regions)
        vault = self._wiring.first_vault([self.config.region(name).name for name in wanted])
        plan = self._plan(facts, vault)
        self._store(facts, vault, plan, progress)
        source = self._wiring.source(facts)
        committed = commit_backup(vault, source, plan, capture())
        copies = {vault.region: CopyState.COMPLETE.value}
        failed: list[DrError] = []
        for region in (name for name in wanted if name != vault.region):
            with kept_in(failed):
                self._replicate_or_say(asset, plan.point, vault, region, progress)
                copies[region] = CopyState.COMPLETE.value
        progress.finish()
        raise_first(failed)
        return documents.committed_document(committed, copies, monotonic() - started)

    def replicate(
        self,
        asset: str,
        point: str | None = None,
        to: Sequence[str] | None = None,
        progress: Progress = SILENT,
    ) -> Document:
        """Copy a point (every point, when None) to the regions of the asset that lack it. Idempotent.

        Every region and point is tried, but none more in a region that stopped answering; the first error is raised at
        the end.
        """
        started = monotonic()
        facts = self.config.asset(asset)
        targets = [self.config.region(name).name for name in (to or facts.regions)]
        answers = self._wiring.answers(list(dict.fromkeys([*facts.regions, *targets])))
        known = observe(asset, answers)
        points = [p for p in known.points if point in (None, p.point) and restorable_regions(p)]
        if point is not None and not points:
            choose_point(asset, known, point)
        copied: list[Document] = []
        failed: list[DrError] = []
        for target in targets:
            with kept_in(failed):
                vault = open_or_raise(answers[target])
                missing = [p for p in points if p.copy_in(target).state is CopyState.MISSING]
                failed += _replicate_all(answers, vault, missing, copied, progress)
        raise_first(failed)
        return {"asset": asset, "copied": copied, "seconds": round(monotonic() - started, 3)}

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

    def restore(
        self,
        asset: str,
        target: str,
        point: str = LATEST,
        at: str | None = None,
        region: str | None = None,
        include: Sequence[str] = (),
        attachments: str | None = None,
        progress: Progress = SILENT,
    ) -> Document:
        """Restore a point into `target`. With `region` only that one is asked; else damage falls over to the others."""
        started = monotonic()
        facts = self.config.asset(asset)
        if region is not None and POINT_ID.fullmatch(point):
            vaults, chosen = [self._wiring.vault(region)], point
        else:
            regions = [self.config.region(region).name] if region else list(facts.regions)
            answers = self._wiring.answers(regions)
            if region is not None:
                open_or_raise(answers[region])
            known = observe(asset, answers)
            choice = choose_point(asset, known, point, _moment(at))
            vaults, chosen = open_ones(answers, choice.regions), choice.point.point
        extra = Path(attachments).absolute() if attachments else None
        done = restore(vaults, asset, chosen, Path(target).absolute(), progress, include, extra)
        return documents.restored_document(done, str(Path(target).absolute()), monotonic() - started)

    def smoke(self, asset: str, directory: str, point: str = LATEST) -> Document:
        """Smoke-test a restored directory against the proof that travels in a point of the asset."""
        facts = self.config.asset(asset)
        answers = self._wiring.answers(list(facts.regions))
        known = observe(asset, answers)
        choice = choose_point(asset, known, point)
        with tempfile.TemporaryDirectory(prefix="dr-smoke-") as folder:
            proof = Path(folder) / "proof"
            restore_attachments(open_ones(answers, choice.regions), asset, choice.point.point, proof)
            result = run_smoke(SmokeRequest.from_asset(facts, Path(directory).absolute(), proof))
        return {"asset": asset, "point": choice.point.point, **documents.smoke_document(result)}

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
        facts = self.config.asset(asset)
        lost = self.config.region(region).name if region else facts.regions[0]
        world = World(
            answers=lambda: self._wiring.answers(facts.regions),
            survival_kit=self._wiring.survival_kit,
            standby=lambda name: ProcessStandby(self._wiring.standby_root / name),
            clock=self._wiring.clock,
        )
        report = drill(facts, scenario or facts.drill.scenario, lost, _moment(disaster_at), world)
        survivors = [name for name in facts.regions if name != lost]
        kept: dict[str, str] = {}
        failed: list[DrError] = []
        for answer in self._wiring.answers(survivors).values():
            with kept_in(failed):
                vault = open_or_raise(answer)
                kept[vault.region] = record_evidence(vault, report)
        if not kept:
            raise_first(failed)
        return documents.drill_document(report, kept)

    def points(self, asset: str | None = None) -> list[Document]:
        """Points of one asset or all, newest first within an asset, with the state of every copy as observed."""
        names = [self.config.asset(asset).name] if asset else list(self.config.assets)
        return [documents.point_document(p) for name in names for p in self._observe(name).points]

    def status(self) -> Document:
        """How every asset stands against its objectives, recomputed from what the regions hold."""
        answers = self._wiring.answers(list(self.config.regions))
        found = [self._standing(asset, answers) for asset in self.config.assets.values()]
        return {"assets": found, "ok": all(item["ok"] for item in found)}

    def doctor(self) -> Document:
        """What is missing or misconfigured here, and the fix."""
        answers = self._wiring.answers(list(self.config.regions))
        checks = examine(self.config, answers, self._wiring.source)
        return {"checks": [asdict(check) for check in checks], "ok": all(check.ok for check in checks)}

    def _plan(self, asset: Asset, vault: Vault) -> BackupPlan:
        limits = self.config.limits
        return plan_backup(asset, self._wiring.source(asset), vault, limits.shard_bytes, self._wiring.clock)

    def _run(self, asset: str, region: str, run: str) -> tuple[Vault, BackupPlan]:
        vault = self._wiring.vault(self.config.region(region).name)
        return vault, load_plan(vault, self.config.asset(asset).name, run)

    def _store(self, asset: Asset, vault: Vault, plan: BackupPlan, progress: Progress) -> None:
        """All shards of a plan on this machine's threads, then the proof. After an error no further shard is begun."""
        source, index = self._wiring.source(asset), load_index(vault)
        progress.start(sum(file.size for file in plan.listing.files), f"backup {asset.name}")
        with ThreadPoolExecutor(self.config.limits.workers) as pool:
            jobs = [
                pool.submit(store_shard, vault, source, plan, number, index, progress)
                for number in range(len(plan.shards))
            ]
            try:
                for job in as_completed(jobs):
                    job.result()
            finally:
                pool.shutdown(cancel_futures=True)
        store_proof(vault, source, plan, index, partial(record_proof, asset))

    def _replicate_or_say(self, asset: str, point: str, source: Vault, region: str, progress: Progress) -> None:
        try:
            replicate([source], self._wiring.vault(region), asset, point, progress)
        except DrError as error:
            said = f"{point} is committed in {source.region}, and its copy to {region} failed: {error.what}"
            hint = f"when {region} is back: drctl replicate {asset}"
            raise type(error)(said, where=error.where, hint=hint) from error

    def _due(self, vault: Vault, asset: str, point: str | None, *, unverified: bool) -> list[str]:
        """Points of a vault to verify. A copy found damaged is due again: its alarm stands until it is healed."""
        # A point that was verified here once and has no manifest any more was lost, and verification says so.
        seen = {name.point for name in vault.points(asset)} | {event.point for event in vault.events(asset)}
        points = sorted(name for name in seen if point in (None, name))
        if not unverified:
            return points
        known = observe(asset, {vault.region: vault}).points
        fine = {p.point for p in known if p.copy_in(vault.region).state is CopyState.VERIFIED}
        return [name for name in points if name not in fine]

    def _observe(self, asset: str) -> Observation:
        return observe(asset, self._wiring.answers(self.config.asset(asset).regions))

    def _standing(self, asset: Asset, answers: Mapping[str, Answer]) -> Document:
        own = {region: answers[region] for region in asset.regions}
        known = observe(asset.name, own)
        mute: list[DrError] = []
        drills: list[PastDrill | None] = []
        for vault in open_ones(own, [region for region in own if region not in known.silent]):
            with kept_in(mute):
                drills.append(last_drill(vault, asset.name))
        drilled = _newest(drills)
        verdict = drilled.verdict if drilled else None
        unread = tuple(f"the evidence of drills cannot be read: {error.what} [{error.where}]" for error in mute)
        found = standing(asset, known.points, tuple(known.silent), verdict, self._wiring.clock(), unread)
        objectives = (asset.objectives.rpo.total_seconds(), asset.objectives.rto.total_seconds())
        return documents.standing_document(found, drilled, objectives)


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


def _newest(drills: Sequence[PastDrill | None]) -> PastDrill | None:
    return max((d for d in drills if d is not None), key=lambda d: d.drill, default=None)


def _mode(text: str) -> Mode:
    if text not in list(Mode):
        raise UsageError(f"no verification mode is called {text!r}", hint=f"modes: {', '.join(Mode)}")
    return Mode(text)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no moment", hint="write it like 2026-11-23T18:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

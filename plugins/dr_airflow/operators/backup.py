"""A backup: in one task, or planned, stored in shards by many workers, and committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dr_airflow.announcements import COPIES, announce
from dr_airflow.batches import MOST_MAPPED, ranges
from dr_airflow.operators.base import Facts, RecoveryOperator, open_runtime
from dr_lib.errors import ObjectiveMissed

if TYPE_CHECKING:
    from airflow.sdk import Context


class BackupPlanOperator(RecoveryOperator):
    """Freezes the source and plans the shards of a backup of `asset` into `region` (the first that answers when empty:
    a lost region must not stop the backups).

    XCom: `run` holds the id of the backup run, `region` where it goes, the return value the ranges `[start, stop)` of
    shards, at most `MOST_MAPPED` of them and never none, to be mapped over `StoreShardsOperator.shards`.
    """

    template_fields = ("asset", "region")

    def __init__(self, *, asset: str, region: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.region = region

    def work(self) -> Facts:
        """Plan; a second try plans a run of its own, and an abandoned plan is never committed."""
        return open_runtime().plan_backup(self.asset, self.region or None)

    def hand_over(self, result: Facts, context: Context) -> list[list[int]]:
        """The ranges to map over."""
        context["ti"].xcom_push(key="run", value=result["run"])
        context["ti"].xcom_push(key="region", value=result["region"])
        return ranges(result["shards"], MOST_MAPPED)


class BackupStepOperator(RecoveryOperator):
    """A step of the planned backup `run` of `asset` into `region`."""

    template_fields: Sequence[str] = ("asset", "region", "run")

    def __init__(self, *, asset: str, region: str, run: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.region = region
        self.run = run


class StoreShardsOperator(BackupStepOperator):
    """Stores the shards `[start, stop)` of a planned run, one after the other; stored shards are recognised."""

    template_fields = (*BackupStepOperator.template_fields, "shards")

    def __init__(self, *, shards: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shards = shards

    def work(self) -> Facts:
        """The bytes read and uploaded by this task."""
        start, stop = self.shards
        runtime, progress = open_runtime(), self.progress()
        stored = [
            runtime.store_shard(self.asset, self.region, self.run, shard, progress=progress)
            for shard in range(start, stop)
        ]
        return {key: sum(one[key] for one in stored) for key in ("raw_bytes", "new_bytes")}


class RecordProofOperator(BackupStepOperator):
    """Records what a drill will compare with: golden outputs of a model, facts of a dataset's tables."""

    def work(self) -> Facts:
        """The names of the recorded attachments."""
        return open_runtime().record_proof(self.asset, self.region, self.run)


class CommitBackupOperator(BackupStepOperator):
    """Commits the run: afterwards the recovery point exists. Its facts go with the event of every outlet.

    The task fails when the point is in quarantine: it is kept, is not announced and not copied. Cleared and run again
    after `drctl quarantine clear`, it succeeds, and what follows it runs.
    """

    def work(self) -> Facts:
        """The committed point as `Runtime.commit_backup` describes it; `ObjectiveMissed` when it is not trusted."""
        return trusted(open_runtime().commit_backup(self.asset, self.region, self.run))

    def hand_over(self, result: Facts, context: Context) -> Facts:
        """The point, after its event was attached to every outlet."""
        announce_point(self, result, context, {self.region: result["new_bytes"]})
        return result


class BackupOperator(RecoveryOperator):
    """Backs up `asset` in this one task, into the first of `regions` (the asset's, when empty) that answers, and copies
    the point to the others.

    For other people's DAGs, where the asset is not so large that its shards should be spread over workers: that is what
    the DAG `dr_backup__<asset>` does. XCom: the point as `Runtime.backup` has it. Fails when a region could not be
    written, and when the point is in quarantine.
    """

    template_fields = ("asset", "regions")

    def __init__(self, *, asset: str, regions: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**{"outlets": [COPIES], **kwargs})
        self.asset = asset
        self.regions = regions

    def work(self) -> Facts:
        """The committed point."""
        return trusted(open_runtime().backup(self.asset, list(self.regions) or None, self.progress()))

    def hand_over(self, result: Facts, context: Context) -> Facts:
        """The point, after its events were attached."""
        new: int = result["new_bytes"]
        announce_point(self, result, context, dict.fromkeys(result["copies"], new))
        return result


def trusted(done: Facts) -> Facts:
    """A committed point; `ObjectiveMissed` when it is in quarantine."""
    gate = done.get("gate") or {}
    if gate.get("quarantined"):
        raise ObjectiveMissed(
            f"{done['point']} is stored and in quarantine: {'; '.join(gate['findings'])}",
            where=str(done["asset"]),
            hint="see runbooks/backup-quarantined.md; earlier good points are on hold",
        )
    return done


def announce_point(task: RecoveryOperator, point: Facts, context: Context, regions: Mapping[str, int]) -> None:
    """The events of a new point: on the asset's own outlet, and one a region, with the bytes that were new there."""
    for outlet in task.outlets:
        if outlet == COPIES:
            copies = [{"point": point["point"], "region": name, "new_bytes": new} for name, new in regions.items()]
            announce(context, point["asset"], copies)
        else:
            told = {"point": point["point"], "region": next(iter(regions)), "bytes": point["logical_bytes"]}
            context["outlet_events"][outlet].extra = told

"""One operator a step of the recovery life cycle, over `Runtime`.

All fields are templated; an empty string stands for "not given". XCom carries ids and small facts, never bytes.
Every operator may run twice for one task: the steps are keyed by asset, region and run, never by the try number.
Nothing heavy is imported before `execute`, so that DAG files parse at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from dr_airflow.batches import MOST_MAPPED, ranges
from dr_airflow.failures import airflow_failures
from dr_airflow.log_progress import LoggedProgress
from dr_lib.errors import IntegrityError, ObjectiveMissed, Refused

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dr_lib.runtime import Runtime

Facts = dict[str, Any]

PROVEN = "proven"


class RecoveryOperator(BaseOperator):
    """Does `work`, maps its failures, and hands its result to Airflow; subclasses say the work."""

    ui_color = "#d7ecea"

    def execute(self, context: Context) -> Any:
        """Do the work; a `DrError` that no retry can help fails the task at once."""
        with airflow_failures():
            return self.hand_over(self.work(), context)

    def work(self) -> Facts:
        """The step itself, on the worker."""
        raise NotImplementedError

    def hand_over(self, result: Facts, context: Context) -> Any:  # noqa: ARG002 - for subclasses that need it
        """What becomes the task's XCom; events and further XComs are set here."""
        return result

    def progress(self) -> LoggedProgress:
        """How far the step is, into the task's log."""
        return LoggedProgress(self.log)


def open_runtime() -> Runtime:
    """The runtime of `DR_CONFIG`, with credentials from Airflow's connections where it names them."""
    from dr_airflow.connections import connection_credentials
    from dr_lib.runtime import Runtime

    return Runtime.load(None, connections=connection_credentials)


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
        done: Facts = open_runtime().commit_backup(self.asset, self.region, self.run)
        gate = done.get("gate") or {}
        if gate.get("quarantined"):
            raise ObjectiveMissed(
                f"{done['point']} is stored and in quarantine: {'; '.join(gate['findings'])}",
                where=f"{self.asset} in region {self.region}",
                hint="see runbooks/backup-quarantined.md; earlier good points are on hold",
            )
        return done

    def hand_over(self, result: Facts, context: Context) -> Facts:
        """The point, after its event was attached to every outlet."""
        for outlet in self.outlets:
            event = {"point": result["point"], "region": self.region, "bytes": result["logical_bytes"]}
            context["outlet_events"][outlet].extra = event
        return result


class ReplicateOperator(RecoveryOperator):
    """Copies `point` of `asset` (all its points when empty) into every region that lacks it."""

    template_fields = ("asset", "point")

    def __init__(self, *, asset: str, point: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.point = point

    def work(self) -> Facts:
        """How many copies were made, and of which bytes."""
        copied = open_runtime().replicate(self.asset, point=self.point or None, progress=self.progress())["copied"]
        return {"asset": self.asset, "copies": len(copied), "new_bytes": sum(one["new_bytes"] for one in copied)}


class PruneOperator(RecoveryOperator):
    """Prunes `region`: judges the points of all assets, deletes what an old plan and this judgement both name, and
    plans what may go now. `do` is `say`, which changes nothing, or `delete`.

    What could not be done fails the task at the end, after all that could.
    """

    template_fields = ("region", "do")

    def __init__(self, *, region: str, do: str = "say", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.region = region
        self.do = do

    def work(self) -> Facts:
        """How many points were deleted, planned and would be, and what it freed."""
        found = open_runtime().prune(region=self.region, apply=self.do == "delete")
        if found["problems"]:
            raise Refused("; ".join(found["problems"]), where=f"region {self.region}", hint="`drctl prune` shows more")
        (region,) = found["regions"]
        return {
            "region": self.region,
            "applied": found["applied"],
            "deleted": [point for plan in region["executed"] for point in plan["points"]],
            "freed_bytes": sum(plan["bytes"] for plan in region["executed"]),
            "proposed": [one["point"] for one in region["proposed"]["points"]],
            "plan": region["plan"],
        }


class VerifyCopiesOperator(RecoveryOperator):
    """Reads copies of `asset` in `region` again: every byte of those that are new, then the next sample of all.

    `scope` is `unverified` (in full, those that no full verification has found whole; then a sample, which also holds
    the structure of all against a listing) or `all` (everything in full). Where dr.yaml says `verify: {heal: true}` for
    the asset, damage is healed at once. What stays damaged fails the task, after all copies were read.
    """

    template_fields = ("asset", "region", "scope")

    def __init__(self, *, asset: str, region: str, scope: str = "unverified", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.region = region
        self.scope = scope

    def work(self) -> Facts:
        """The points that were read and found whole, what was healed, and how long bytes wait to be read again;
        `IntegrityError` names those that are damaged."""
        runtime = open_runtime()
        found = [runtime.verify(self.asset, region=self.region, progress=self.progress(), unverified=self._is_daily)]
        if self._is_daily:
            found.append(runtime.verify(self.asset, region=self.region, mode="sample", progress=self.progress()))
        healed = [] if all(one["ok"] for one in found) else self._healed(runtime, found)
        whole = [one["point"] for one in found[0]["results"] if one["ok"]]
        oldest = found[-1]["runs"][0]["coverage"]["oldest_s"]
        return {"region": self.region, "verified": whole, "healed": healed, "longest_unread_s": oldest}

    @property
    def _is_daily(self) -> bool:
        return self.scope == "unverified"

    def _healed(self, runtime: Runtime, found: Sequence[Facts]) -> list[str]:
        """Keys of what was healed, where that is asked for and leaves nothing damaged; else the alarm is raised."""
        if runtime.config.asset(self.asset).heals:
            done = runtime.heal(self.asset, region=self.region, progress=self.progress())
            self.log.warning("there was damage in %s, and this was done about it: %s", self.region, done)
            if done["ok"]:
                return [one["key"] for one in done["healed"]]
        raise self._alarm(found)

    def _alarm(self, found: Sequence[Facts]) -> IntegrityError:
        results = [one for run in found for one in run["results"] if not one["ok"]]
        said = [f"{one['point']}: {'; '.join(one['findings'])}" for one in results]
        said += [text for run in found for one in run["runs"] for text in one["findings"]]
        return IntegrityError(
            f"{len({one['point'] for one in results})} copies are damaged: {' | '.join(dict.fromkeys(said))}",
            where=f"region {self.region}",
            hint=f"drctl heal {self.asset} --region {self.region}, and see runbooks/model-corrupted.md",
        )


class RestoreOperator(RecoveryOperator):
    """Restores `point` (an id or `latest`) of `asset` into `target`, a directory that is empty or not there yet.

    `region` is the one to read from; the best one is chosen when it is empty.
    """

    template_fields = ("asset", "target", "point", "region")

    def __init__(self, *, asset: str, target: str, point: str = "latest", region: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.target = target
        self.point = point
        self.region = region

    def work(self) -> Facts:
        """What was restored, from where, in which time."""
        return open_runtime().restore(
            self.asset,
            self.target,
            point=self.point or "latest",
            region=self.region or None,
            progress=self.progress(),
        )


class DrillOperator(RecoveryOperator):
    """Restores `asset` into the standby as if `region` were lost since `disaster_at`, and measures it.

    `disaster_at` is an ISO 8601 time with its offset; empty means now. The task succeeds when the measurement
    does; whether the objectives held is said by `DrillVerdictOperator`, a leaf that nothing can mask.
    """

    template_fields = ("asset", "scenario", "region", "disaster_at")

    def __init__(
        self, *, asset: str, scenario: str = "", region: str = "", disaster_at: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.scenario = scenario
        self.region = region
        self.disaster_at = disaster_at

    def work(self) -> Facts:
        """The drill as `Runtime.drill` reports it."""
        return open_runtime().drill(
            self.asset,
            scenario=self.scenario or None,
            region=self.region or None,
            disaster_at=self.disaster_at or None,
        )


class DrillVerdictOperator(RecoveryOperator):
    """Succeeds exactly when `report`, the result of a `DrillOperator`, says that the objectives were proven."""

    template_fields = ("report",)

    def __init__(self, *, report: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.report = report

    def work(self) -> Facts:
        """The verdict; `ObjectiveMissed` when it is anything but `proven`."""
        verdict = self.report["verdict"]
        if verdict != PROVEN:
            reasons = "; ".join(self.report["reasons"]) or "no reason was given"
            raise ObjectiveMissed(f"{verdict}: {reasons}", where=self.report["drill"])
        return {"verdict": verdict}

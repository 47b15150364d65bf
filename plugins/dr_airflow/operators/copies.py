"""What is done with copies: made, read again, and let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dr_airflow.announcements import COPIES, announce
from dr_airflow.operators.base import Facts, RecoveryOperator, open_runtime
from dr_lib.errors import IntegrityError, Refused

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dr_lib.runtime import Runtime


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
        return {"asset": self.asset, "point": self.point, "copied": copied}

    def hand_over(self, result: Facts, context: Context) -> Facts:
        """How much there was to do, after an event for each copy was attached."""
        copied = result["copied"]
        if COPIES in self.outlets:
            announce(context, self.asset, copied)
        return {"asset": self.asset, "copies": len(copied), "new_bytes": sum(one["new_bytes"] for one in copied)}


class VerifyOperator(RecoveryOperator):
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

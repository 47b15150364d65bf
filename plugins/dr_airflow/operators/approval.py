"""Operators of a restore that somebody asks for: its plan, the question to somebody else, and the word that is kept."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.exceptions import HITLTimeoutError
from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from dr_airflow.operators.base import Facts, RecoveryOperator, open_runtime
from dr_lib.errors import DrError, NotFound
from dr_lib.model.alert import Severity
from dr_lib.model.authorisation import APPROVED, EMERGENCY, REJECTED, UNANSWERED, Decision

if TYPE_CHECKING:
    from dr_lib.runtime import Runtime

DECISION = "decision"
_DRILLS, _FEWEST = 20, 3


class RestorePlanOperator(RecoveryOperator):
    """Says what restoring `point` of `asset` (of the moment `at`, from `region`) would bring, and fetches none of it.

    XCom: the plan as `Runtime.plan_restore` has it, and `minutes` that past drills took, None for too few.
    """

    template_fields = ("asset", "point", "at", "region")

    def __init__(self, *, asset: str, point: str = "latest", at: str = "", region: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.point = point
        self.at = at
        self.region = region

    def work(self) -> Facts:
        """The plan; `NotFound` when the point is not there any more."""
        runtime = open_runtime()
        plan = runtime.plan_restore(self.asset, self.point or "latest", self.at or None, self.region or None)
        return plan | {"minutes": _minutes(runtime, self.asset)}


def _minutes(runtime: Runtime, asset: str) -> float | None:
    """What recoveries of the asset took in drills, the middle one of at least three; from the catalog, for whoever
    waits to answer is not to wait for the evidence of all assets."""
    try:
        drills = runtime.drill_views(asset, limit=_DRILLS)
    except DrError:
        return None
    took = [one["rto_s"] for one in drills if one["rto_s"] is not None and one["expected"] == "recovery"]
    return round(median(took) / 60, 1) if len(took) >= _FEWEST else None


class RestoreApprovalOperator(ApprovalOperator):
    """Asks somebody to approve the restore. The XCom `decision` holds the answer, also when it is no, or none came.

    Whether the answer counts is not decided here but by `AuthoriseRestoreOperator`, which leaves it in the vaults.
    """

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep the answer; fail on anything but an approval."""
        try:
            answer: Any = HITLOperator.execute_complete(self, context, event)
        except HITLTimeoutError as error:
            context["ti"].xcom_push(key=DECISION, value={"word": UNANSWERED, "by": "", "at": ""})
            raise AirflowFailException("nobody answered in time") from error
        who = answer["responded_by_user"] or {}
        word = APPROVED if answer["chosen_options"] == [self.APPROVE] else REJECTED
        # By name, as the requester is known: an id could not be told from him, and he would approve his own.
        by = str(who.get("name") or "")
        told = {"word": word, "by": by, "at": answer["responded_at"].isoformat()}
        context["ti"].xcom_push(key=DECISION, value=told)
        if word == REJECTED:
            raise AirflowFailException(f"{told['by'] or 'somebody'} rejected the restore")
        return told


class AuthoriseRestoreOperator(RecoveryOperator):
    """Leaves in the vaults who asked for the restore of `point`, why, and what was decided; fails unless it may begin.

    `decision` is what `RestoreApprovalOperator` pushed, as JSON; `null` where it pushed nothing. With `emergency`
    nobody was asked.
    """

    template_fields = ("asset", "point", "requester", "reason", "ticket", "target", "decision")

    def __init__(
        self,
        *,
        asset: str,
        point: str,
        requester: str,
        reason: str,
        ticket: str,
        target: str,
        decision: str = "null",
        emergency: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.point = point
        self.requester = requester
        self.reason = reason
        self.ticket = ticket
        self.target = target
        self.decision = decision
        self.emergency = emergency

    def work(self) -> Facts:
        """Where the word was left; `Refused` when the restore may not begin, `NotFound` when nothing was planned."""
        if not self.point:
            raise NotFound("nothing was planned, so there is nothing to decide", hint="the task `plan` says why")
        if self.emergency:
            self._cry()
        return open_runtime().authorise_restore(
            self.asset,
            self.point,
            self._decided(),
            requester=self.requester,
            reason=self.reason,
            ticket=self.ticket,
            target=self.target,
        )

    def _cry(self) -> None:
        """Tell everybody. That nobody can be told must not stop who is in an emergency: the vaults keep it."""
        said = f"EMERGENCY: {self.requester or 'somebody'} restores {self.asset} into {self.target}, approved by nobody"
        self.log.warning("%s", said)
        try:
            open_runtime().tell(Severity.CRITICAL, f"{said}. Reason: {self.reason}")
        except DrError as error:
            self.log.warning("nobody could be told: %s", error)

    def _decided(self) -> Decision:
        if self.emergency:
            return Decision(EMERGENCY)
        told = json.loads(self.decision or "null") or {}
        return Decision(str(told.get("word", UNANSWERED)), str(told.get("by", "")), str(told.get("at", "")))

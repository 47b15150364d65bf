"""Operators of endpoints: looking at one, saying what a move would do, and moving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from dr_airflow.operators.base import Facts, RecoveryOperator, open_runtime
from dr_lib.errors import Refused
from dr_lib.model.serving import Site, Wish

if TYPE_CHECKING:
    from airflow.sdk import Context


class WatchEndpointOperator(RecoveryOperator):
    """Looks at an endpoint, keeps what it saw in the catalog, and tells people what is new.

    XCom: what was seen. Skipped where nothing is to be done about it, so that what follows is done where something is.
    """

    template_fields = ("endpoint",)

    def __init__(self, *, endpoint: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.endpoint = endpoint

    def work(self) -> Facts:
        """What was seen, with `since` in the form of a run's id."""
        seen = open_runtime().watch_endpoint(self.endpoint)
        self.log.info("%s: served by %s; %s", self.endpoint, seen["traffic"], seen["problem"] or "well")
        return seen

    def hand_over(self, result: Facts, context: Context) -> Any:  # noqa: ARG002 - as the base has it
        """Skip what follows where the look calls for nothing."""
        if result["due"] == "nothing":
            raise AirflowSkipException("nothing is to be done")
        return result


class PlanMoveOperator(RecoveryOperator):
    """Says what moving the endpoint's traffic to `to` would do, and changes nothing.

    XCom: the plan as `Runtime.plan_move` has it. Fails where the move would be refused.
    """

    template_fields = ("endpoint", "point", "planned")

    def __init__(self, *, endpoint: str, to: str, point: str, planned: str = "no", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.endpoint = endpoint
        self.to = to
        self.point = point
        self.planned = planned

    def work(self) -> Facts:
        """The plan; `Refused` with the objection."""
        is_planned = self.planned == "yes"
        plan = open_runtime().plan_move(self.endpoint, self.to, self.point, is_planned=is_planned)
        if plan["objection"]:
            raise Refused(f"{self.endpoint} stays where it is: {plan['objection']}")
        return plan


class MoveEndpointOperator(RecoveryOperator):
    """Moves an endpoint's traffic to `to`, under a lease that the DAG run holds: a try after it goes on.

    XCom: what happened, as `Runtime.move_endpoint` has it.
    """

    template_fields = ("endpoint", "point", "planned", "differ", "reason", "by", "holder")

    def __init__(
        self,
        *,
        endpoint: str,
        to: str,
        point: str,
        reason: str,
        by: str,
        planned: str = "no",
        differ: str = "no",
        holder: str = "airflow/{{ dag_run.run_id }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint = endpoint
        self.to = to
        self.point = point
        self.reason = reason
        self.by = by
        self.planned = planned
        self.differ = differ
        self.holder = holder

    def work(self) -> Facts:
        """What happened; raises as `Runtime.move_endpoint`."""
        wish = Wish(
            self.endpoint,
            Site(self.to),
            self.reason,
            self.by,
            self.point,
            is_planned=self.planned == "yes",
            answers_may_differ=self.differ == "yes",
            holder=self.holder,
        )
        return open_runtime().move_endpoint(wish, self.progress())

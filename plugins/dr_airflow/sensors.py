"""Waiting for protection in other people's DAGs: before training starts, a verified point of its data is to exist."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import Context, timezone
from airflow.sdk.exceptions import AirflowFailException

from dr_airflow.failures import airflow_failures
from dr_airflow.operators.base import Facts, RecoveryOperator, open_runtime


class RecoveryPointSensor(RecoveryOperator):
    """Succeeds when `asset` has a verified point younger than `younger_than`, in any of its regions or in `region`.

    The regions themselves are asked, every `poll_every`, by a worker; between two looks the task is deferred and takes
    no slot, and the triggerer, which only counts the time, needs no credentials. Fails after `give_up_after`. XCom: the
    point as `Runtime.verified_point` has it. A region that does not answer never counts as one that holds a point.
    """

    template_fields = ("asset", "region")

    def __init__(
        self,
        *,
        asset: str,
        younger_than: timedelta,
        region: str = "",
        poll_every: timedelta = timedelta(minutes=1),
        give_up_after: timedelta = timedelta(hours=1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.asset = asset
        self.younger_than = younger_than
        self.region = region
        self.poll_every = poll_every
        self.give_up_after = give_up_after

    def execute(self, context: Context) -> Facts:
        """Look; defer when it is not there yet."""
        return self.look_again(context, until=(timezone.utcnow() + self.give_up_after).isoformat())

    def look_again(self, context: Context, event: Any = None, *, until: str) -> Facts:  # noqa: ARG002 - a trigger's word
        """Look, and defer or give up."""
        with airflow_failures():
            found = open_runtime().verified_point(self.asset, self.region or None)
        age = found["age_s"]
        if age is not None and age <= self.younger_than.total_seconds():
            return found
        said = "no verified point" if age is None else f"the newest verified point is {age:.0f} s old"
        silent = f"; no answer from {', '.join(found['silent'])}" if found["silent"] else ""
        if timezone.utcnow() + self.poll_every > datetime.fromisoformat(until):
            raise AirflowFailException(f"{self.asset}: {said}, {self.younger_than} are allowed{silent}")
        self.log.info("%s: %s%s; looking again in %s", self.asset, said, silent, self.poll_every)
        self.defer(trigger=TimeDeltaTrigger(self.poll_every), method_name="look_again", kwargs={"until": until})
        raise AssertionError("deferring raises")

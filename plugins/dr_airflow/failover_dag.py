"""`dr_failover__<endpoint>` and `dr_failback__<endpoint>`: an endpoint's traffic to its other site, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG, Param, TriggerRule

from dr_airflow.conventions import READER_QUEUE, STANDBY_QUEUE, dag_arguments, dag_id
from dr_airflow.forms import choice, field
from dr_airflow.operators import (
    AuthoriseRestoreOperator,
    MoveEndpointOperator,
    PlanMoveOperator,
    RestoreApprovalOperator,
)
from dr_airflow.operators.approval import DECISION
from dr_lib.model.serving import Endpoint, Site

ANSWER_WITHIN = timedelta(hours=4)
PRIMARY_QUEUE = "primary"
_STEP = {Site.STANDBY: "failover", Site.PRIMARY: "failback"}
_QUEUE = {Site.STANDBY: STANDBY_QUEUE, Site.PRIMARY: PRIMARY_QUEUE}
_DOC = """# {title} {name}
Moves the traffic of `{name}` ({url}) to the {to}: restores the latest verified point of `{asset}` into
`{directory}`,
tries it in a fresh process, has the server load it, and asks it until it answers rightly; then the switch, and right
answers through the address that callers use. What fails before the switch changes nothing for them. A lease in
{regions} keeps a second one away. What happened, and how long callers went without an answer, the vaults keep.

{asks} The task `move` runs on the queue `{queue}`, where the {to}'s directory is."""
_ASKS = """Somebody else than who asks has to approve it. Where nobody else is awake: `drctl {step} {name}` there, at a
terminal."""
_ACTS = "Nobody is asked where `dr_serving__{name}` saw that the primary is down, or where a person starts this."
_PLAN = "ti.xcom_pull(task_ids='plan')"
_BY = "dag_run.triggering_user_name or 'dr_serving'"
_BODY = f"""{{% set plan = {_PLAN} %}}
Asked for by **{{{{ {_BY} }}}}**, for this reason:

    {{{{ params.reason | replace('\\n', ' ') }}}}

| | |
|---|---|
| served by | {{{{ plan.traffic }}}} |
| primary | {{{{ plan.sites.primary.verdict }}}} {{{{ plan.sites.primary.why | replace('|', '/') }}}} |
| standby | {{{{ plan.sites.standby.verdict }}}} |
| would be | {{{{ plan.to }}}} |
| point | `{{{{ plan.point }}}}` from {{{{ plan.region }}}} |
| holds | {{{{ '%.1f' | format(plan.bytes / 1e6) }}}} MB in {{{{ plan.files }}}} files |
"""


def move_dag(endpoint: Endpoint, to: Site) -> DAG:
    """Traffic to `to`: planned, approved where dr.yaml wants that, and moved by a worker of that site."""
    step, queue = _STEP[to], endpoint.sites[to].queue or _QUEUE[to]
    asks = not endpoint.is_automatic
    doc = _DOC.format(
        title=step.capitalize(),
        name=endpoint.name,
        url=endpoint.url,
        to=to.value,
        asset=endpoint.asset,
        directory=endpoint.sites[to].directory or "nothing: the site names no directory",
        regions=", ".join(endpoint.lease.regions),
        queue=queue,
        asks=(_ASKS if asks else _ACTS).format(step=step, name=endpoint.name),
    )
    dag = DAG(
        dag_id(step, endpoint.name),
        schedule=None,
        max_active_runs=1,
        params=_form(to),
        **dag_arguments(step, f"{endpoint.name} to its {to.value}", doc, endpoint.name, runbook="endpoint-down"),
    )
    with dag:
        move = _move(endpoint, to, queue)
        authorised = _approved(endpoint, to)
        if asks:
            _plan(endpoint, to) >> authorised.first >> authorised.last >> move
        else:
            decide = _decide(authorised.first.task_id, move.task_id)
            _plan(endpoint, to) >> decide >> [authorised.first, move]
            authorised.first >> authorised.last >> move
    return dag


def _planned(to: Site) -> str:
    return "yes" if to is Site.PRIMARY else "{{ params.planned }}"


def _move(endpoint: Endpoint, to: Site, queue: str) -> MoveEndpointOperator:
    return MoveEndpointOperator(
        task_id="move",
        endpoint=endpoint.name,
        to=to.value,
        point=f"{{{{ {_PLAN}['point'] }}}}",
        reason="{{ params.reason }}",
        by=f"{{{{ {_BY} }}}}",
        planned=_planned(to),
        differ="{{ params.differ }}",
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        queue=queue,
    )


@dataclass(frozen=True)
class _Approval:
    first: RestoreApprovalOperator
    last: AuthoriseRestoreOperator


def _approved(endpoint: Endpoint, to: Site) -> _Approval:
    """The question, and the answer kept in the vaults before anything moves."""
    # No retries: an answer that comes at once may fail the task, and would be asked for again.
    approve = RestoreApprovalOperator(
        task_id="approve",
        subject=f"Move {endpoint.name} to its {to.value}?",
        body=_BODY,
        response_timeout=ANSWER_WITHIN,
        execution_timeout=None,
        retries=0,
    )
    authorise = AuthoriseRestoreOperator(
        task_id="authorise",
        asset=endpoint.asset,
        point=f"{{{{ ({_PLAN} or {{}}).get('point', '') }}}}",
        requester=f"{{{{ {_BY} }}}}",
        reason="{{ params.reason }}",
        ticket="",
        target=f"the {to.value} of {endpoint.name}",
        decision=f"{{{{ ti.xcom_pull(task_ids='approve', key='{DECISION}') | tojson }}}}",
        trigger_rule=TriggerRule.ALL_SUCCESS if endpoint.is_automatic else TriggerRule.ALL_DONE,
        queue=READER_QUEUE,
    )
    return _Approval(approve, authorise)


def _decide(ask: str, act: str) -> BranchPythonOperator:
    """With `approval: automatic` a person is asked all the same where the look that called for this says so: the
    primary answers wrongly, and whether it is to be left no program knows."""
    return BranchPythonOperator(
        task_id="decide",
        python_callable=_next,
        op_kwargs={"due": "{{ params.due }}", "ask": ask, "act": act},
    )


def _next(due: str, ask: str, act: str) -> str:
    return act if due == "act" else ask


def _plan(endpoint: Endpoint, to: Site) -> PlanMoveOperator:
    return PlanMoveOperator(
        task_id="plan",
        endpoint=endpoint.name,
        to=to.value,
        point="{{ params.point }}",
        planned=_planned(to),
        queue=endpoint.queue or READER_QUEUE,
    )


def _form(to: Site) -> dict[str, Param]:
    asked = {
        "point": field("latest-verified", type="string", minLength=1, title="Recovery point"),
        "reason": Param(type="string", minLength=5, maxLength=500, title="Reason", section="Why"),
        "differ": choice(("no", "yes"), "no", title="May its answers differ from those recorded?", section="Unless"),
    }
    asked["due"] = choice(("ask", "act"), "act", title="Ask somebody, or act?", section="Unless")
    if to is Site.STANDBY:
        asked["planned"] = choice(("no", "yes"), "no", title="Also while the primary is healthy?", section="Unless")
    return asked

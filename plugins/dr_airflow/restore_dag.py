"""`dr_restore`: a recovery point back into a directory, asked for in a form and approved by somebody else.

`dr_restore_emergency` is the same without the question, under a permission of its own.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, TriggerRule

from dr_airflow.conventions import EMERGENCY_DAG, READER_QUEUE, RESTORE_DAG, dag_arguments
from dr_airflow.forms import choice, field
from dr_airflow.operators import (
    AuthoriseRestoreOperator,
    RestoreApprovalOperator,
    RestoreOperator,
    RestorePlanOperator,
)
from dr_airflow.operators.approval import DECISION

ANSWER_WITHIN = timedelta(hours=4)
_DOC = """# Restore
Puts a recovery point into a directory on the worker. The directory must be empty or not there: nothing is ever
overwritten, and nothing is left in its place when the restore fails.

Somebody else than who asks has to approve it (*Required actions*), within four hours. Who asked, why, who decided and
what is left as an event in the vaults, also when it was no. In an emergency: `dr_restore_emergency`."""
_EMERGENCY_DOC = """# Restore at once
As `dr_restore`, and **nobody is asked**. Give the permission to run this DAG to those who are on call alone. The vaults
keep who used it and why."""
_PLAN = "ti.xcom_pull(task_ids='plan')"
_BODY = f"""{{% set plan = {_PLAN} %}}
Asked for by **{{{{ dag_run.triggering_user_name or 'nobody who is known' }}}}**, for this reason:

    {{{{ params.reason | replace('\\n', ' ') }}}}

| | |
|---|---|
| ticket | `{{{{ params.ticket or '-' }}}}` |
| point | `{{{{ plan.point }}}}` |
| from | {{{{ plan.region }}}}: {{{{ plan.why }}}} |
| holds | {{{{ '%.1f' | format(plan.bytes / 1e6) }}}} MB in {{{{ plan.files }}}} files |
| takes | {{{{ 'not known: too few drills' if plan.minutes is none else '%s minutes' | format(plan.minutes) }}}} |
| into | `{{{{ params.target }}}}` |
"""


def restore_dag(assets: tuple[str, ...], regions: tuple[str, ...]) -> DAG:
    """The restore on demand, with the question; the form refuses unknown assets and regions and relative targets."""
    dag = DAG(
        RESTORE_DAG,
        schedule=None,
        params=_form(assets, regions),
        **dag_arguments("restore", "Restore a recovery point", _DOC),
    )
    with dag:
        # No retries: an answer that comes at once may fail the task, and would be asked for again.
        approve = RestoreApprovalOperator(
            task_id="approve",
            subject="Restore {{ params.asset }} into {{ params.target }}?",
            body=_BODY,
            response_timeout=ANSWER_WITHIN,
            execution_timeout=None,
            retries=0,
        )
        _plan() >> approve >> _authorise(emergency=False) >> _restore()
    return dag


def emergency_dag(assets: tuple[str, ...], regions: tuple[str, ...]) -> DAG:
    """The same without the question."""
    dag = DAG(
        EMERGENCY_DAG,
        schedule=None,
        params=_form(assets, regions),
        **dag_arguments("restore", "Restore a recovery point without an approval", _EMERGENCY_DOC, "emergency"),
    )
    with dag:
        _plan() >> _authorise(emergency=True) >> _restore()
    return dag


def _plan() -> RestorePlanOperator:
    return RestorePlanOperator(
        task_id="plan",
        asset="{{ params.asset }}",
        point="{{ params.point }}",
        at="{{ params.at or '' }}",
        region="{{ params.region or '' }}",
        queue=READER_QUEUE,
    )


def _authorise(*, emergency: bool) -> AuthoriseRestoreOperator:
    # After an answer of any kind, so that a no is kept, too; it fails on anything but a yes.
    return AuthoriseRestoreOperator(
        task_id="authorise",
        asset="{{ params.asset }}",
        point=f"{{{{ ({_PLAN} or {{}}).get('point', '') }}}}",
        requester="{{ dag_run.triggering_user_name or '' }}",
        reason="{{ params.reason }}",
        ticket="{{ params.ticket or '' }}",
        target="{{ params.target }}",
        decision=f"{{{{ ti.xcom_pull(task_ids='approve', key='{DECISION}') | tojson }}}}",
        emergency=emergency,
        trigger_rule=TriggerRule.ALL_SUCCESS if emergency else TriggerRule.ALL_DONE,
        queue=READER_QUEUE,
    )


def _restore() -> RestoreOperator:
    return RestoreOperator(
        task_id="restore",
        asset="{{ params.asset }}",
        target="{{ params.target }}",
        point=f"{{{{ {_PLAN}['point'] }}}}",
        region="{{ params.region or '' }}",
        queue=READER_QUEUE,
    )


def _form(assets: tuple[str, ...], regions: tuple[str, ...]) -> dict[str, Param]:
    return {
        "asset": choice(assets, assets[0], title="Asset"),
        "point": field("latest", type="string", minLength=1, title="Recovery point", description="An id, or latest"),
        "at": field(None, type=["null", "string"], format="date-time", title="Or the newest point of that moment"),
        "region": choice(regions, None, title="From region (empty: the best)", section="Where"),
        "target": Param(type="string", pattern="^/.+", title="Target directory on the worker", section="Where"),
        "reason": Param(type="string", minLength=5, maxLength=500, title="Reason", section="Why"),
        "ticket": field(
            None, type=["null", "string"], pattern="^[A-Za-z0-9][A-Za-z0-9._/-]{0,60}$", title="Ticket", section="Why"
        ),
    }

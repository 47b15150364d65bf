"""`dr_serving__<endpoint>`: looks at who serves, and calls for a failover when it fails."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

from dr_airflow.conventions import READER_QUEUE, dag_arguments, dag_id, schedule
from dr_airflow.operators import WatchEndpointOperator
from dr_lib.model.serving import Endpoint

_DOC = """# Serving {name}
Asks both sites of the endpoint `{name}` ({url}) {of} times, {interval} s apart, and its switch who serves. What was
seen stands in the catalog; what is new is told to whom `alerts:` of dr.yaml names.

When the primary serves and fails ({fall} of {of} answers), `dr_failover__{name}` is started, once for one failure.
{then}"""
_ASKS = "It asks a person before anything moves."
_ACTS = "It moves traffic by itself where the primary is down; where it answers wrongly, it asks a person."


def serving_dag(endpoint: Endpoint) -> DAG:
    """The look at one endpoint. Not tried again: the next run is a minute away, and looks afresh."""
    health = endpoint.health
    doc = _DOC.format(
        name=endpoint.name,
        url=endpoint.url,
        of=health.of,
        fall=health.fall,
        interval=f"{health.interval.total_seconds():g}",
        then=_ACTS if endpoint.is_automatic else _ASKS,
    )
    dag = DAG(
        dag_id("serving", endpoint.name),
        schedule=schedule(endpoint.schedule),
        max_active_runs=1,
        **dag_arguments("serving", f"Is {endpoint.name} served?", doc, endpoint.name, runbook="endpoint-down"),
    )
    with dag:
        watch = WatchEndpointOperator(
            task_id="watch",
            endpoint=endpoint.name,
            queue=endpoint.queue or READER_QUEUE,
            retries=0,
            execution_timeout=timedelta(minutes=10),
        )
        watch >> _call_for_failover(endpoint)
    return dag


def _call_for_failover(endpoint: Endpoint) -> TriggerDagRunOperator:
    """The run's id is of the failure, so that each failure starts one, however often it is seen."""
    seen = "ti.xcom_pull(task_ids='watch')"
    return TriggerDagRunOperator(
        task_id="failover",
        trigger_dag_id=dag_id("failover", endpoint.name),
        trigger_run_id=f"failing__{{{{ {seen}['failing_since'] }}}}",
        conf={
            "reason": f"{{{{ ({seen}['problem'] or '')[:500] }}}}",
            "due": f"{{{{ {seen}['due'] }}}}",
        },
        skip_when_already_exists=True,
        retries=0,
    )

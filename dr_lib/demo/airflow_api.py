"""What a person does in Airflow's web interface, over its REST API: unpause, trigger, wait, look at a failed task."""

from __future__ import annotations

from threading import Event
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from tenacity import RetryError, Retrying, retry_if_exception_type, retry_if_result, wait_fixed
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_after_attempt, stop_after_delay, stop_when_event_set

from dr_lib.errors import DrError, NotFound, ObjectiveMissed, PermissionDenied, Refused, StoreUnavailable

Facts = dict[str, Any]

_FINISHED = frozenset({"success", "failed"})
_POLL_S = 0.5
_LOG_TAIL_LINES = 25
_ATTEMPTS = 4


class AirflowApi:
    """A logged-in client.

    Raises `StoreUnavailable` when Airflow does not answer, else `PermissionDenied`, `NotFound` or `Refused`.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=90)
        self._url = url
        self._given_up = Event()
        answer = self._send("POST", "/auth/token", json={"username": user, "password": password})
        self._client.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def give_up(self) -> None:
        """Let every wait, in whatever thread, end now as if its time had run out."""
        self._given_up.set()

    def import_errors(self) -> dict[str, str]:
        """Import errors of DAG files and of plugins: the trace by file name."""
        files = self._send("GET", "/api/v2/importErrors")["import_errors"]
        plugins = self._send("GET", "/api/v2/plugins/importErrors")["import_errors"]
        errors = {str(error["filename"]): str(error["stack_trace"]) for error in files}
        return errors | {str(error["source"]): str(error["error"]) for error in plugins}

    def dag_ids(self) -> list[str]:
        """The DAGs that Airflow has taken in, sorted."""
        dags = self._send("GET", "/api/v2/dags", params={"limit": 1000, "tags": "dr"})["dags"]
        return sorted(str(dag["dag_id"]) for dag in dags)

    def wait_for_dags(self, wanted: set[str], seconds: float) -> None:
        """Return when all these DAGs are there; `Refused` with the traces as soon as a DAG file is broken."""
        try:
            self._poll(lambda: wanted <= set(self.dag_ids()) or self.import_errors(), seconds)
        except RetryError as error:
            missing = ", ".join(sorted(wanted - set(self.dag_ids())))
            raise StoreUnavailable(f"Airflow did not take in the DAGs {missing}", where=self._url) from error
        if errors := self.import_errors():
            raise Refused(
                "a DAG file or plugin cannot be imported:\n" + "\n".join(errors.values()), where=", ".join(errors)
            )

    def unpause(self, dag_id: str) -> None:
        """Let the runs of the DAG start."""
        for attempt in self._persistently():
            with attempt:
                self._send("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: Facts) -> str:
        """Start a run with this configuration; its id. Asked again after a failed answer, it is started once."""
        run_id = f"demo__{uuid4()}"
        body = {"logical_date": None, "conf": conf, "dag_run_id": run_id}
        for attempt in self._persistently():
            with attempt:
                self._start(dag_id, run_id, body)
        return run_id

    def wait(self, dag_id: str, run_id: str, seconds: float) -> None:
        """Return when the run has succeeded; `ObjectiveMissed` with the end of the failed task's log when it failed.

        A run that is not there yet is waited for; `StoreUnavailable` when it all takes longer than `seconds`.
        """
        if self._outcome(dag_id, run_id, seconds) != "success":
            raise self._failure(dag_id, run_id)

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What an unmapped task of the run returned; `NotFound` when it returned nothing."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._send("GET", path, params={"deserialize": "false", "stringify": "false"})["value"]

    def result_of(self, dag_id: str, run_id: str, task_id: str, seconds: float) -> Any:
        """Wait until the run ends either way, then `result`; raises like `wait` when the task itself failed."""
        self._outcome(dag_id, run_id, seconds)
        try:
            return self.result(dag_id, run_id, task_id)
        except NotFound:
            raise self._failure(dag_id, run_id) from None

    def tasks(self, dag_id: str, run_id: str) -> list[Facts]:
        """The task instances of a run as Airflow describes them."""
        tasks: list[Facts] = self._send("GET", f"{_run(dag_id, run_id)}/taskInstances")["task_instances"]
        return tasks

    def _start(self, dag_id: str, run_id: str, body: Facts) -> None:
        try:
            self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        except Refused as refusal:
            try:
                self._send("GET", _run(dag_id, run_id))  # a request whose answer failed had started it all the same
            except NotFound:
                raise refusal from None

    def _outcome(self, dag_id: str, run_id: str, seconds: float) -> str:
        try:
            return str(self._poll(lambda: self._finished(_run(dag_id, run_id)), seconds)["state"])
        except RetryError as error:
            raise StoreUnavailable(
                "the run did not finish in time", where=f"{dag_id} {run_id}", hint=self._url
            ) from error

    def _failure(self, dag_id: str, run_id: str) -> DrError:
        failures = self._failures(_run(dag_id, run_id))
        return ObjectiveMissed(
            f"the run of {dag_id} failed\n{failures}", where=run_id, hint=f"{self._url}/dags/{dag_id}"
        )

    def _finished(self, path: str) -> Facts | None:
        run = self._send("GET", path)
        return run if run["state"] in _FINISHED else None

    def _failures(self, path: str) -> str:
        tasks = self._send("GET", f"{path}/taskInstances", params={"state": "failed", "limit": 3})["task_instances"]
        return "\n".join(f"task {task['task_id']}:\n{self._log_tail(path, task)}" for task in tasks)

    def _log_tail(self, path: str, task: Facts) -> str:
        log = f"{path}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        content = self._send("GET", log, params={"map_index": task["map_index"]})["content"]
        lines = [line if isinstance(line, str) else _log_line(line) for line in content]
        return "\n".join(f"  {line}" for line in lines[-_LOG_TAIL_LINES:])

    def _send(self, method: str, path: str, **arguments: Any) -> Facts:
        try:
            answer = self._client.request(method, path, headers={"Accept": "application/json"}, **arguments)
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"Airflow does not answer: {error}", where=f"{self._url}{path}") from error
        if answer.is_success:
            facts: Facts = answer.json()
            return facts
        raise _refusal(answer)

    def _persistently(self) -> Retrying:
        """For requests that may be repeated: one that a busy database made fail is sent again."""
        return Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            stop=stop_after_attempt(_ATTEMPTS) | stop_when_event_set(self._given_up),
            sleep=sleep_using_event(self._given_up),
            wait=wait_fixed(_POLL_S),
            reraise=True,
        )

    def _poll(self, question: Any, seconds: float) -> Any:
        asking = Retrying(
            retry=retry_if_result(lambda told: not told) | retry_if_exception_type((StoreUnavailable, NotFound)),
            stop=stop_after_delay(seconds) | stop_when_event_set(self._given_up),
            sleep=sleep_using_event(self._given_up),
            wait=wait_fixed(_POLL_S),
        )
        return asking(question)


def _run(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"


def _refusal(answer: httpx.Response) -> DrError:
    kinds: dict[int, type[DrError]] = {401: PermissionDenied, 403: PermissionDenied, 404: NotFound}
    kind = StoreUnavailable if answer.is_server_error else kinds.get(answer.status_code, Refused)
    return kind(f"Airflow answered {answer.status_code}: {answer.text[:500]}", where=str(answer.request.url))


def _log_line(entry: Facts) -> str:
    text = str(entry.get("event", ""))
    causes = [f"{one.get('exc_type')}: {one.get('exc_value')}" for one in entry.get("error_detail") or ()]
    return "\n  ".join([text, *causes])

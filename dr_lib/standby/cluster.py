"""The few things a standby asks of a Kubernetes cluster, with errors of ours. Needs the extra `kubernetes`."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any, Final

from kubernetes import client, stream, watch

from dr_lib.clock import monotonic
from dr_lib.cluster_access import cluster_client, cluster_errors
from dr_lib.errors import NotFound, Refused, StoreUnavailable
from dr_lib.standby.child_process import Finished

_STDOUT, _STDERR, _STATUS = 1, 2, 3
_STDIN_PART: Final = 16 << 10
_NEVER_STARTS: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError"}
)


class Cluster:
    """One namespace of the cluster that a kubeconfig's context names (the current one, or the pod's own, when None)."""

    def __init__(self, namespace: str, context: str | None) -> None:
        """Asks nothing yet. `UsageError` where no cluster is configured, or not that one."""
        self.namespace = namespace
        self._api = client.CoreV1Api(cluster_client(context))

    def create(self, manifest: dict[str, Any]) -> None:
        """Create a pod; `Refused` when the name is taken or the cluster does not admit it."""
        pod = client.V1Pod.from_dict(manifest)
        assert pod is not None, "a manifest is never empty"
        with cluster_errors("the pod cannot be created"):
            self._api.create_namespaced_pod(self.namespace, pod)

    def delete(self, name: str) -> None:
        """Delete a pod at once; nothing happens when there is none."""
        try:
            with cluster_errors("the pod cannot be deleted"):
                self._api.delete_namespaced_pod(name, self.namespace, grace_period_seconds=0)
        except NotFound:
            return

    def annotations(self, selector: str) -> dict[str, dict[str, str]]:
        """The annotations of all pods with these labels, by the pods' names."""
        with cluster_errors("the pods cannot be listed"):
            found = self._api.list_namespaced_pod(self.namespace, label_selector=selector).items
        facts = [pod.metadata for pod in found if pod.metadata is not None]
        return {str(fact.name): dict(fact.annotations or {}) for fact in facts}

    def wait_until_running(self, name: str, limit_s: int) -> None:
        """Return when the pod's container runs; `Refused` when it never will, `StoreUnavailable` after `limit_s`."""
        asked = {"field_selector": f"metadata.name={name}", "timeout_seconds": limit_s}
        with cluster_errors("the pod cannot be watched"):
            for event in watch.Watch().stream(self._api.list_namespaced_pod, self.namespace, **asked):
                if _runs(event["object"]):
                    return
        raise StoreUnavailable(
            f"the pod did not start within {limit_s} s", where=name, hint=f"kubectl describe pod {name}"
        )

    def execute(self, name: str, argv: Sequence[str], stdin: bytes, timeout_s: float | None) -> Finished:
        """Run a command in the pod, giving it `stdin`, whose end it is not told; `subprocess.TimeoutExpired`."""
        asked = {"command": list(argv), "stdin": True, "stdout": True, "stderr": True, "tty": False}
        with cluster_errors("the command cannot be run in the pod"):
            socket = stream.stream(
                self._api.connect_get_namespaced_pod_exec, name, self.namespace, **asked,
                _preload_content=False, binary=True,
            )  # fmt: skip
            try:
                for start in range(0, len(stdin), _STDIN_PART):
                    socket.write_stdin(stdin[start : start + _STDIN_PART])
                _await_end(socket, argv, timeout_s)
            finally:
                socket.close()
            return Finished(_returncode(socket, name), socket.read_channel(_STDOUT), socket.read_channel(_STDERR))


def _runs(pod: Any) -> bool:
    """Whether its container runs; `Refused` when it has ended, or cannot begin."""
    states = [status.state for status in pod.status.container_statuses or ()]
    for state in states:
        if state.waiting is not None and state.waiting.reason in _NEVER_STARTS:
            raise Refused(f"the pod cannot start: {state.waiting.reason}", where=pod.metadata.name)
    if pod.status.phase in {"Failed", "Succeeded"}:
        raise Refused(f"the pod ended: {pod.status.reason or pod.status.phase}", where=pod.metadata.name)
    return bool(states) and all(state.running is not None for state in states)


def _await_end(socket: Any, argv: Sequence[str], timeout_s: float | None) -> None:
    ends = None if timeout_s is None else monotonic() + timeout_s
    while socket.is_open():
        left = None if ends is None else ends - monotonic()
        if left is not None and left <= 0:
            raise subprocess.TimeoutExpired(list(argv), timeout_s or 0.0)
        socket.update(timeout=left)


def _returncode(socket: Any, name: str) -> int:
    """As the cluster reported it, negative when a signal ended the command."""
    try:
        code = int(socket.returncode)
    except (TypeError, KeyError, ValueError, IndexError) as error:
        what = "the connection to the pod broke before the command had ended"
        raise StoreUnavailable(what, where=name) from error
    return 128 - code if code > 128 else code

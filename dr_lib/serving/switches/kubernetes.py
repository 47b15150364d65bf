"""A switch that is a Service of Kubernetes, moved by the labels of the pods that it selects.

The change carries the `resourceVersion` that was read, so that of two who move at once one is refused. Connections
that a pod has open it keeps until they end; who drains for longer has a `preStop` hook in his pods.
"""

from __future__ import annotations

from typing import Any, Final

from kubernetes import client
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from dr_lib.cluster_access import cluster_client, cluster_errors
from dr_lib.errors import StoreUnavailable, UsageError
from dr_lib.model.serving import KubernetesSwitch, Site, Traffic

READY_S: Final = 30.0
"""How long the Service may take to name a ready pod of its new selector."""
_PAUSE_S: Final = 0.2


class KubernetesService:
    """The switch; see `Switch`."""

    def __init__(self, policy: KubernetesSwitch, *, ready_s: float = READY_S) -> None:
        """Asks nothing yet. `UsageError` (2) where no cluster is configured."""
        self._policy = policy
        self._ready_s = ready_s
        self._api = client.CoreV1Api(cluster_client(policy.context))

    def traffic(self) -> Traffic:
        """The site whose labels the selector has; nobody where it has neither's."""
        selector = self._read()[0]
        wanted = self._policy.selectors
        sites = frozenset(site for site in Site if wanted[site].items() <= selector.items())
        told = ", ".join(f"{name}={value}" for name, value in sorted(selector.items()))
        return Traffic(sites, f"selector {told or 'empty'}")

    def move(self, to: Site) -> None:
        """As `Switch.move`. `Refused` (7) where somebody changed the Service meanwhile; `StoreUnavailable` (6) where no
        pod of the new site is ready: before anything is changed."""
        selector, version = self._read()
        wanted = self._policy.selectors
        if wanted[to].items() <= selector.items():
            return
        left = {name: value for name, value in selector.items() if name not in wanted[to.other]} | dict(wanted[to])
        self._refuse_without_pods(left)
        gone: dict[str, str | None] = dict.fromkeys(selector.keys() - left.keys())
        change = {"metadata": {"resourceVersion": version}, "spec": {"selector": gone | left}}
        with cluster_errors(f"the service {self._policy.service} cannot be changed"):
            self._api.patch_namespaced_service(self._policy.service, self._policy.namespace, change)

    def _read(self) -> tuple[dict[str, str], str]:
        with cluster_errors(f"the service {self._policy.service} cannot be read"):
            found: Any = self._api.read_namespaced_service(self._policy.service, self._policy.namespace)
        if not found.spec.selector:
            where = f"{self._policy.namespace}/{self._policy.service}"
            raise UsageError("the service selects no pods", where=where, hint="give it a selector, then again")
        return dict(found.spec.selector), str(found.metadata.resource_version)

    def _refuse_without_pods(self, selector: dict[str, str]) -> None:
        """A selector without a ready pod would send every request to nobody."""
        labels = ",".join(f"{name}={value}" for name, value in sorted(selector.items()))
        asking = Retrying(
            retry=retry_if_result(lambda yes: not yes), stop=stop_after_delay(self._ready_s), wait=wait_fixed(_PAUSE_S)
        )
        try:
            asking(lambda: self._ready(labels))
        except RetryError:
            what = f"no pod with the labels {labels} is ready"
            hint = "traffic stays where it was; `kubectl get pods -l` shows them"
            raise StoreUnavailable(what, where=self._policy.namespace, hint=hint) from None

    def _ready(self, labels: str) -> bool:
        with cluster_errors("the pods cannot be listed"):
            found: Any = self._api.list_namespaced_pod(self._policy.namespace, label_selector=labels)
        return any(
            condition.type == "Ready" and condition.status == "True"
            for pod in found.items
            for condition in (pod.status.conditions or ())
        )

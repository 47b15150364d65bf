"""A client of a Kubernetes cluster, and its errors as ours. Needs the extra `kubernetes`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import urllib3
from kubernetes import client, config
from kubernetes.config import ConfigException

from dr_lib.errors import DrError, NotFound, PermissionDenied, Refused, StoreUnavailable, UsageError

_BY_STATUS: Final[dict[int, type[DrError]]] = {
    401: PermissionDenied,
    403: PermissionDenied,
    404: NotFound,
    409: Refused,
}


def cluster_client(context: str | None) -> client.ApiClient:
    """A client of the cluster that a kubeconfig's context names (the current one, or the pod's own, when None).

    Asks nothing yet. `UsageError` (2) where no cluster is configured, or not that one.
    """
    try:
        found: client.ApiClient = config.new_client_from_config(context=context)
    except ConfigException as error:
        if context is None:
            return _client_of_this_pod()
        hint = "name a context of kubeconfig"
        raise UsageError(f"no cluster is configured for {context!r}: {error}", hint=hint) from error
    return found


def _client_of_this_pod() -> client.ApiClient:
    inside = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=inside)
    except ConfigException as error:
        raise UsageError("no Kubernetes cluster is configured here", hint="set KUBECONFIG, or run in a pod") from error
    return client.ApiClient(inside)


@contextmanager
def cluster_errors(what: str) -> Iterator[None]:
    """Raise what the cluster says against the block as an error of ours that begins with `what`."""
    try:
        yield
    except client.ApiException as error:
        kind = _BY_STATUS.get(error.status or 0, Refused if 400 <= (error.status or 0) < 500 else StoreUnavailable)
        raise kind(f"{what}: {error.reason}", hint="`kubectl auth can-i --list` tells what is permitted") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreUnavailable(f"{what}: the cluster does not answer ({type(error).__name__})") from error

"""From what dr.yaml says of a switch to the switch."""

from __future__ import annotations

from collections.abc import Mapping

from dr_lib.errors import UsageError
from dr_lib.model.serving import FileSwitch, HaproxySwitch, KubernetesSwitch, SwitchPolicy
from dr_lib.serving.switch import Switch
from dr_lib.storage.credentials import Connections, resolve


def open_switch(policy: SwitchPolicy, *, environ: Mapping[str, str], connections: Connections | None) -> Switch:
    """The switch, not asked anything yet; `UsageError` (2) for credentials or a package that are missing.

    Each kind is imported when one is opened: clients of clouds are large.
    """
    if isinstance(policy, HaproxySwitch):
        from dr_lib.serving.switches.haproxy import Haproxy

        return Haproxy(policy)
    if isinstance(policy, FileSwitch):
        from dr_lib.serving.switches.file import File

        return File(policy)
    if isinstance(policy, KubernetesSwitch):
        return _of_kubernetes(policy)
    from dr_lib.serving.switches.route53 import Route53

    found = resolve(policy.credentials, f"record {policy.record}", environ=environ, connections=connections)
    return Route53(policy, found)


def _of_kubernetes(policy: KubernetesSwitch) -> Switch:
    try:
        from dr_lib.serving.switches.kubernetes import KubernetesService
    except ImportError as error:
        what = "the client of Kubernetes is not installed here"
        raise UsageError(what, where=policy.service, hint="pip install 'dr-lib[kubernetes]'") from error
    return KubernetesService(policy)

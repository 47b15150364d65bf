"""The pod that a standby is, as Kubernetes takes it: no root, no token, nothing writable but one volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from dr_lib.model.standby import StandbyPolicy

MANAGED: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "dr-standby"
DRILL: Final = "dr.standby/drill"
OWNER: Final = "dr.standby/owner"
CONTAINER: Final = "standby"
LONGEST_S: Final = 24 * 3600
"""After so many seconds the cluster ends the pod by itself: for a drill whose machine never comes back."""
_USER: Final = 10001
_WAITING: Final = "import threading; threading.Event().wait()"


def pod_name(drill: str) -> str:
    """The name of a drill's pod."""
    return f"dr-standby-{drill.lower()}"


def pod_manifest(policy: StandbyPolicy, drill: str, owner: str, root: Path) -> dict[str, Any]:
    """The pod of one drill, of core/v1. It waits; commands come by exec, and what they need over its stdin.

    `owner` says which process it belongs to. No credential stands in it, nor in any Secret.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(drill),
            "labels": {MANAGED: MANAGER, DRILL: drill.lower()},
            "annotations": {OWNER: owner},
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LONGEST_S,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(policy, root)],
            "volumes": [{"name": CONTAINER, "emptyDir": _volume(policy)}],
        },
    }


def _container(policy: StandbyPolicy, root: Path) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": policy.image,
        "command": [policy.python, "-I", "-c", _WAITING],
        "workingDir": str(root),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"limits": _limits(policy)},
        "volumeMounts": [{"name": CONTAINER, "mountPath": str(root)}],
    }


def _volume(policy: StandbyPolicy) -> dict[str, Any]:
    return {} if policy.room_bytes is None else {"sizeLimit": str(policy.room_bytes)}


def _limits(policy: StandbyPolicy) -> dict[str, str]:
    limits = {}
    if policy.gpus:
        limits["nvidia.com/gpu"] = str(policy.gpus)
    if policy.memory_bytes is not None:
        limits["memory"] = str(policy.memory_bytes)
    if policy.cpus is not None:
        limits["cpu"] = f"{policy.cpus:g}"
    return limits

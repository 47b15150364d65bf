"""Runs a standby's commands in a Kubernetes pod that is made for one drill."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dr_lib.clock import monotonic
from dr_lib.errors import DrError, UsageError
from dr_lib.model.standby import StandbyPolicy
from dr_lib.standby.child_process import Finished, last_words
from dr_lib.standby.orders import Order
from dr_lib.standby.ownership import Owner
from dr_lib.standby.pod_spec import MANAGED, MANAGER, OWNER, pod_manifest, pod_name
from dr_lib.standby.process import LAUNCHER

if TYPE_CHECKING:
    from dr_lib.standby.cluster import Cluster

VOLUME: Final = Path("/standby")
"""Where a pod mounts the volume that is its standby's directory."""
START_LIMIT_S: Final = 900
"""A large image on a new node takes minutes to be there."""
_CLOCK: Final = "import time; print(time.monotonic())"


class PodRunner:
    """One pod; its commands come by exec, and credentials over their stdin: no Secret is made that could stay."""

    def __init__(self, policy: StandbyPolicy, drill: str, root: Path | None = None) -> None:
        """`root` is where the pod's volume is mounted (`VOLUME`). Asks the cluster nothing yet."""
        self.root: Path = root or VOLUME
        self.monotonic_ahead_s = 0.0
        self._policy = policy
        self._drill = drill
        self._name = pod_name(drill)
        self._cluster = _cluster(policy)

    def sweep(self) -> None:
        """Delete the namespace's pods whose drill on this machine is dead."""
        for name, notes in self._cluster.annotations(f"{MANAGED}={MANAGER}").items():
            owner = Owner.parse(notes.get(OWNER, ""))
            if owner is not None and owner.is_dead():
                self._cluster.delete(name)

    def prepare(self) -> None:
        """Sweep, make the pod, and wait until it runs."""
        self.sweep()
        try:
            self._cluster.create(pod_manifest(self._policy, self._drill, Owner.ours().text(), self.root))
            self._cluster.wait_until_running(self._name, START_LIMIT_S)
            self.monotonic_ahead_s = self._ahead()
        except BaseException:
            self.teardown()
            raise

    def run(self, order: Order, timeout_s: float | None) -> Finished:
        """Run the order in the pod; after `timeout_s` it also ends by itself. `UsageError` for a region on a disk."""
        if there := [path for path in order.reach.paths if path != "/"]:
            what = f"a pod cannot read a region of this machine's disk, nor a file of credentials ({', '.join(there)})"
            raise UsageError(what, hint="drill such an asset in a process or a container")
        limit = None if timeout_s is None else math.ceil(timeout_s)
        sent = replace(order, root=str(self.root), limit_s=limit)
        return self._cluster.execute(self._name, [self._policy.python, *LAUNCHER], sent.frame(), timeout_s)

    def teardown(self) -> None:
        """Delete the pod with all that is in it; nothing happens when it is already gone."""
        self._cluster.delete(self._name)

    def _ahead(self) -> float:
        """How far the pod's clock is ahead at the least: never makes what is measured there shorter than it was."""
        finished = self._cluster.execute(self._name, [self._policy.python, "-I", "-c", _CLOCK], b"", 60)
        try:
            return float(finished.stdout) - monotonic()
        except ValueError as error:
            words = last_words(finished.stderr)
            raise DrError(f"the pod runs no Python that works: {words}", where=self._policy.python) from error


def _cluster(policy: StandbyPolicy) -> Cluster:
    try:
        from dr_lib.standby.cluster import Cluster
    except ImportError as error:
        what = "a standby in Kubernetes needs the library `kubernetes`"
        raise UsageError(what, hint="pip install 'dr-lib[kubernetes]'") from error
    return Cluster(policy.namespace, policy.context)

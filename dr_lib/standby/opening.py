"""A standby as the configuration names it."""

from __future__ import annotations

from pathlib import Path

from dr_lib.model.standby import StandbyKind, StandbyPolicy
from dr_lib.standby.base import Standby
from dr_lib.standby.container import ContainerRunner
from dr_lib.standby.orders import Runner
from dr_lib.standby.process import ProcessRunner


def open_standby(policy: StandbyPolicy, parent: Path, drill: str) -> Standby:
    """The standby of one drill, not made yet; `parent` holds the directories of standbys on this machine.

    `UsageError` where a kind needs a library that is not installed.
    """
    return Standby(_runner(policy, parent, drill), policy.room_bytes)


def _runner(policy: StandbyPolicy, parent: Path, drill: str) -> Runner:
    if policy.kind is StandbyKind.CONTAINER:
        return ContainerRunner(policy, parent / drill)
    if policy.kind is StandbyKind.KUBERNETES:
        from dr_lib.standby.pod import PodRunner

        return PodRunner(policy, drill)
    return ProcessRunner(parent / drill)

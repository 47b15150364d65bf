"""A standby as the configuration names it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from dr_lib.errors import DrError, UsageError
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


def sweep_standbys(policies: Iterable[StandbyPolicy], parent: Path) -> list[str]:
    """Remove what dead drills of this machine left in these standbys; returns what could not be looked at, and why.

    Where there is no client of an engine or a cluster, nothing can have been made from here.
    """
    return [problem for policy in policies for problem in _swept(policy, parent)]


def _swept(policy: StandbyPolicy, parent: Path) -> Iterator[str]:
    if policy.kind is StandbyKind.CONTAINER and shutil.which("docker") is None:
        return
    try:
        runner = _runner(policy, parent, "none")
    except UsageError:
        return
    try:
        runner.sweep()
    except DrError as error:
        yield f"standby {policy.name}: {error}"


def _runner(policy: StandbyPolicy, parent: Path, drill: str) -> Runner:
    if policy.kind is StandbyKind.CONTAINER:
        return ContainerRunner(policy, parent / drill)
    if policy.kind is StandbyKind.KUBERNETES:
        from dr_lib.standby.pod import PodRunner

        return PodRunner(policy, drill)
    return ProcessRunner(parent / drill)

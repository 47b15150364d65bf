"""A standby as the configuration names it."""

from __future__ import annotations

from pathlib import Path

from dr_lib.model.standby import StandbyPolicy
from dr_lib.standby.base import Standby
from dr_lib.standby.process import ProcessRunner


def open_standby(policy: StandbyPolicy, parent: Path, drill: str) -> Standby:
    """The standby of one drill, not made yet; `parent` holds the directories of standbys on this machine."""
    return Standby(ProcessRunner(parent / drill), policy.room_bytes)

"""A standby: where a drill's restore lands, and what it may use there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class StandbyKind(StrEnum):
    """What runs the commands of a standby."""

    PROCESS = "process"
    CONTAINER = "container"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True)
class StandbyPolicy:
    """One entry of `standbys:`.

    `queue` is the Airflow queue whose worker runs the drill; None means the usual one. `executor` is the executor that
    has that queue (`EdgeExecutor` for a site that reaches Airflow by its API alone), None the first one. `room_bytes`
    bounds what a restore may take there (None: the disk does). The other fields are of containers and pods alone:
    `image` by digest, `python` the interpreter in it that has this package, `network` a container's (`none`, `host`,
    or one of the engine's), `gpus`, `memory_bytes` and `cpus` what it may use, `namespace` and `context` where a pod is
    made.
    """

    name: str
    kind: StandbyKind = StandbyKind.PROCESS
    queue: str | None = None
    executor: str | None = None
    room_bytes: int | None = None
    image: str = ""
    python: str = "python"
    network: str = "none"
    gpus: int = 0
    memory_bytes: int | None = None
    cpus: float | None = None
    namespace: str = "default"
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Something that a restore must not reach: `what` it is, and where: a directory of this machine, or a server's
    `host` and `port`; neither for a remote whose place is known to rclone alone."""

    what: str
    path: str = ""
    host: str = ""
    port: int = 0


LOCAL: Final = StandbyPolicy("local")
"""The standby that is always there: a process of the machine that drills."""

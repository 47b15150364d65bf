"""Runs a standby's commands in containers: one for each, of an image by digest, removed when it ends."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from dr_lib.errors import DrError, Refused, UsageError
from dr_lib.model.standby import StandbyPolicy
from dr_lib.standby.child_process import Finished, last_words, run_child
from dr_lib.standby.orders import Order
from dr_lib.standby.ownership import Owner, create_owned, remove_owned, sweep
from dr_lib.standby.process import LAUNCHER

DRILL: Final = "dr.standby.drill"
OWNER: Final = "dr.standby.owner"
_ENGINE_FAILED: Final = frozenset({125, 126, 127})
_KILLED_ABOVE: Final = 128
_ENGINE_LIMIT_S: Final = 60.0
# What reaches the engine, where its client does not use the usual socket.
_CLIENT_ENVIRON: Final = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


class ContainerRunner:
    """A private directory of this machine, mounted under its own name into a fresh container a command.

    Orders go over stdin: what a container is given stands neither in an argument nor in what `docker inspect` shows.
    """

    def __init__(self, policy: StandbyPolicy, root: Path) -> None:
        """`root` must not exist; its parent is made if need be. The engine must be this machine's: it mounts `root`."""
        self.root: Path = root.absolute()
        self.monotonic_ahead_s = 0.0
        self._policy = policy
        self._numbers = count(1)

    def sweep(self) -> None:
        """Remove containers, and directories beside `root`, whose drill on this machine is dead.

        `Refused` when the engine does not answer.
        """
        _remove([found for found, owner in _containers() if owner is not None and owner.is_dead()])
        sweep(self.root.parent)

    def prepare(self) -> None:
        """Sweep, and make the directory; raises as `sweep`, and `AlreadyExists` when a living process holds it."""
        self.sweep()
        create_owned(self.root)

    def run(self, order: Order, timeout_s: float | None) -> Finished:
        """Run the order in a container of its own, which is gone when this returns or raises; it also ends by itself.

        `UsageError` for an order that needs a network where the policy grants none; `Refused` when the engine fails.
        """
        self._refuse_unreachable(order)
        name = f"dr-standby-{self._drill}-{next(self._numbers)}"
        limit = None if timeout_s is None else math.ceil(timeout_s)
        there = replace(order, root=str(self.root), limit_s=limit)
        try:
            finished = _docker(self._arguments(order, name), there.frame(), timeout_s)
        except BaseException:
            with suppress(DrError):
                _remove([name])
            raise
        if finished.returncode in _ENGINE_FAILED:
            raise _refused(finished)
        if finished.returncode > _KILLED_ABOVE:
            return replace(finished, returncode=_KILLED_ABOVE - finished.returncode)
        return finished

    def teardown(self) -> None:
        """Remove everything; nothing happens when it is already gone."""
        try:
            _remove([found for found, _ in _containers(self._drill)])
        finally:
            remove_owned(self.root)

    @property
    def _drill(self) -> str:
        return self.root.name

    def _refuse_unreachable(self, order: Order) -> None:
        if order.reach.ports != () and self._policy.network == "none":
            raise UsageError(
                "the surviving region is behind a network, and this standby has none",
                where=f"standbys.{self._policy.name}.network",
                hint="name a network of the engine that leads to the regions and not to the source, or host",
            )

    def _arguments(self, order: Order, name: str) -> list[str]:
        labels = ["--label", f"{DRILL}={self._drill}", "--label", f"{OWNER}={Owner.ours().text()}"]
        user = f"{os.getuid()}:{os.getgid()}"
        shut = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", user]
        where = ["--network", self._policy.network, "--workdir", str(self.root)]
        return [
            *("run", "--rm", "--interactive", "--name", name, *labels, *shut, *where),
            *self._mounts(order),
            *self._limits(),
            *("--entrypoint", self._policy.python, self._policy.image, *LAUNCHER),
        ]

    def _mounts(self, order: Order) -> Iterator[str]:
        yield from ("--mount", _fields(f"source={self.root}", f"target={self.root}"))
        for path in (path for path in order.reach.paths if path != "/"):  # an rclone remote has the image's files
            yield from ("--mount", _fields(f"source={path}", f"target={path}", "readonly"))

    def _limits(self) -> Iterator[str]:
        if self._policy.gpus:
            yield from ("--gpus", str(self._policy.gpus))
        if self._policy.memory_bytes is not None:
            yield from ("--memory", str(self._policy.memory_bytes))
        if self._policy.cpus is not None:
            yield from ("--cpus", f"{self._policy.cpus:g}")


def _fields(*fields: str) -> str:
    """A bind mount as docker reads it: CSV, since a path may hold commas."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(["type=bind", *fields])
    return line.getvalue()


def _containers(drill: str | None = None) -> list[tuple[str, Owner | None]]:
    """Ids of the containers of one drill, or of all of them, running or not, and whose they are."""
    label = DRILL if drill is None else f"{DRILL}={drill}"
    shown = ["--all", "--no-trunc", "--filter", f"label={label}", "--format", f'{{{{.ID}}}} {{{{.Label "{OWNER}"}}}}']
    lines = _ask_engine("ps", *shown).decode(errors="replace").splitlines()
    parts = [line.partition(" ") for line in lines if line.strip()]
    return [(found, Owner.parse(owner)) for found, _, owner in parts]


def _remove(containers: Sequence[str]) -> None:
    if containers:
        _ask_engine("rm", "--force", "--volumes", *containers)


def _ask_engine(*arguments: str) -> bytes:
    finished = _docker(arguments, b"", _ENGINE_LIMIT_S)
    if finished.returncode != 0:
        raise _refused(finished)
    return finished.stdout


def _docker(arguments: Sequence[str], stdin: bytes, timeout_s: float | None) -> Finished:
    environ = {name: os.environ[name] for name in ("PATH", "HOME", *_CLIENT_ENVIRON) if name in os.environ}
    try:
        return run_child(["docker", *arguments], environ=environ, cwd=Path("/"), stdin=stdin, timeout_s=timeout_s)
    except FileNotFoundError as error:
        raise Refused("docker is not installed here", hint="install it, or give the drill another standby") from error


def _refused(finished: Finished) -> DrError:
    what = f"the container engine failed: {last_words(finished.stderr)}"
    return Refused(what, hint="`docker info` tells whether it runs; else give the drill another standby")

"""A standby: restores, questions and proves itself cut off, by fresh commands that a runner runs somewhere."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from glob import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dr_lib.errors import DrError
from dr_lib.model.asset import Asset
from dr_lib.model.drill import Assertion, Sensitivity, SmokeResult
from dr_lib.model.standby import Forbidden
from dr_lib.standby.answers import document_of
from dr_lib.standby.child_process import Finished
from dr_lib.standby.control import ControlRequest, Older, control
from dr_lib.standby.orders import Order, Reach, Runner
from dr_lib.standby.smoke import OFFLINE, SmokeRequest, run

CONFIG = "dr.yaml"
TASK_LIMIT_S = 120.0


class Standby:
    """A restore, its smoke test and more, each in a process of its own, below one private directory.

    A context manager: entering prepares, leaving tears down, also after a failure. Every command is offline for the
    hub libraries, and only those that are given a configuration reach anything at all.
    """

    def __init__(self, runner: Runner, room_bytes: int | None = None) -> None:
        """`room_bytes` bounds what counts as free there, besides the disk."""
        self.runner = runner
        self._room = room_bytes

    @property
    def root(self) -> Path:
        """The private directory, as its commands see it."""
        return self.runner.root

    @property
    def restored(self) -> Path:
        """Where a restore puts the asset."""
        return self.root / "restored"

    @property
    def attachments(self) -> Path:
        """Where a restore puts what was recorded at backup."""
        return self.root / "attachments"

    def restore(
        self, config_text: str, asset: str, point: str, region: str, environ: Mapping[str, str]
    ) -> dict[str, Any]:
        """Restore one point from one region by the command line and return what that printed.

        `config_text` and `environ` are all that the process knows: name only survivors in them. Raises the error
        that the exit code stands for, with the words of the child.
        """
        where = ["--to", str(self.restored), "--with-attachments", str(self.attachments)]
        return self._restore(config_text, environ, [asset, "--point", point, "--region", region, *where])

    def restore_older(
        self, config_text: str, asset: str, point: str, region: str, environ: Mapping[str, str], path: str
    ) -> Older:
        """Restore the one file `path` as an older point has it, beside what was restored; raises as `restore`."""
        place = self.root / "older"
        where = ["--to", str(place), "--include", escape(path)]
        self._restore(config_text, environ, [asset, "--point", point, "--region", region, *where])
        return Older(point, path, place)

    def restore_by_kit(self, config_text: str, asset: str, point: str, environ: Mapping[str, str]) -> dict[str, Any]:
        """As `restore`, with the vault's recovery kit: nothing of ours runs but what fetches and proves it."""
        order = Order(
            "dr_lib.use_cases.kit_restore",
            (asset, point, str(self.root)),
            {**OFFLINE, **environ},
            {CONFIG: config_text},
            reach=Reach.of(config_text, environ),
        )
        return document_of(self.runner.run(order, None), "restore with the recovery kit")

    def _restore(self, config_text: str, environ: Mapping[str, str], arguments: Sequence[str]) -> dict[str, Any]:
        how = ["--json", "--config", str(self.root / CONFIG)]
        order = Order(
            "dr_lib.cli",
            ("restore", *arguments, *how),
            {**OFFLINE, **environ},
            {CONFIG: config_text},
            reach=Reach.of(config_text, environ),
        )
        return document_of(self.runner.run(order, None), "restore")

    def smoke(self, asset: Asset, *, timeout_s: float | None = None) -> SmokeResult:
        """Smoke-test what was restored, for at most `timeout_s` or the asset's time; fails as `smoke.run` does, in its
        result. It reaches nothing, and changes nothing."""
        request = SmokeRequest.from_asset(asset, self.restored, self.attachments)
        return run(
            request,
            timeout_s=timeout_s,
            start=partial(self.start, keeps_root=True),
            ahead_s=self.runner.monotonic_ahead_s,
        )

    def control(self, asset: Asset, seed: str, older: Older, search_s: float) -> Sensitivity:
        """Damage copies of what was restored, and tell on which of them its smoke test fails; see `control.control`."""
        smoke = SmokeRequest.from_asset(asset, self.restored, self.attachments)
        return control(
            ControlRequest(smoke, seed, older, search_s),
            start=partial(self.start, keeps_root=True),
            ahead_s=self.runner.monotonic_ahead_s,
        )

    def start(self, module: str, question: bytes, timeout_s: float, *, keeps_root: bool = False) -> Finished:
        """Run a module of this package that answers a question on its stdin; it reaches nothing.

        With `keeps_root` it cannot change what was restored.
        """
        return self.runner.run(Order(module, environ=OFFLINE, stdin=question, keeps_root=keeps_root), timeout_s)

    def environment(self) -> dict[str, str]:
        """What the standby is: the facts of `environment.capture`, and of `environment.resources` as they are now."""
        found = self._ask("environment", {"root": str(self.root)}, Order("dr_lib.standby"))
        environment = {name: str(value) for name, value in found.items()}
        if self._room is not None:
            environment["disk_free_bytes"] = str(min(self._room, int(environment["disk_free_bytes"])))
        return environment

    def isolation(
        self, forbidden: Sequence[Forbidden], config_text: str, environ: Mapping[str, str]
    ) -> tuple[Assertion, ...]:
        """Try all that a restore with this configuration must not reach, from where it would run.

        Changes nothing: what it could write, it removed again.
        """
        order = Order("dr_lib.standby", environ={**OFFLINE, **environ}, reach=Reach.of(config_text, environ))
        known = sorted({*OFFLINE, *environ})
        task = {"root": str(self.root), "forbidden": [asdict(one) for one in forbidden], "known": known}
        ports = order.reach.ports
        found = self._ask("isolation", task | {"paths": order.reach.paths, "ports": ports}, order)
        return tuple(Assertion(**one) for one in found["assertions"])

    def _ask(self, task: str, question: dict[str, Any], order: Order) -> dict[str, Any]:
        asked = Order(order.module, (task,), order.environ, stdin=json.dumps(question).encode(), reach=order.reach)
        try:
            return document_of(self.runner.run(asked, TASK_LIMIT_S), task)
        except subprocess.TimeoutExpired as error:
            raise DrError(f"the standby did not answer within {TASK_LIMIT_S:g} s ({task})") from error

    def prepare(self) -> None:
        """Make it, and remove what drills that died left behind."""
        self.runner.prepare()

    def teardown(self) -> None:
        """Remove everything; nothing happens when it is already gone."""
        self.runner.teardown()

    def __enter__(self) -> Self:
        """Prepare."""
        self.prepare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tear down."""
        self.teardown()

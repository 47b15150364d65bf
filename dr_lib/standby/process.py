"""Runs a standby's commands as processes of this machine, each confined to what its order names."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from dr_lib.standby.child_process import Finished, bare_environ, run_child
from dr_lib.standby.orders import Order
from dr_lib.standby.ownership import create_owned, remove_owned, sweep

LAUNCHER = ("-I", "-m", "dr_lib.standby.confine")


class ProcessRunner:
    """A private directory (mode 0700), and fresh processes in it that end with this one.

    What a killed process left behind beside `root` is removed by the next `prepare`.
    """

    def __init__(self, root: Path) -> None:
        """`root` must not exist; its parent is made if need be and may be shared by several standbys."""
        self.root: Path = root.absolute()
        self.monotonic_ahead_s = 0.0

    def sweep(self) -> None:
        """Remove directories beside `root` whose drill is dead."""
        sweep(self.root.parent)

    def prepare(self) -> None:
        """Sweep, and make the directory; `AlreadyExists` when a living process holds it or it is not ours."""
        self.sweep()
        create_owned(self.root)

    def run(self, order: Order, timeout_s: float | None) -> Finished:
        """Run the order under Landlock where the kernel has it; it is told (`confine.CONFINED`) where it has not."""
        here = replace(order, environ=self._environ() | dict(order.environ), root=str(self.root), parent=os.getpid())
        argv = [sys.executable, *LAUNCHER]
        bare = bare_environ(self.root)
        return run_child(argv, environ=bare, cwd=self.root, stdin=here.frame(), timeout_s=timeout_s)

    def teardown(self) -> None:
        """Remove everything; nothing happens when it is already gone."""
        remove_owned(self.root)

    def _environ(self) -> dict[str, str]:
        bare = bare_environ(self.root)
        del bare["HOME"]
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return bare if visible is None else bare | {"CUDA_VISIBLE_DEVICES": visible}

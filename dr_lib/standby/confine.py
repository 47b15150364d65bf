"""The first thing that runs in a standby: takes one order from stdin, shuts itself in, and becomes what was ordered.

The order comes over stdin because it holds credentials, and arguments can be read by every process of a machine.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path

from dr_lib.standby.child_process import MARK
from dr_lib.standby.confinement import confine
from dr_lib.standby.orders import Order
from dr_lib.standby.privileges import die_with, give_up_capabilities

CONFINED = "DR_STANDBY_CONFINED"
"""Tells the ordered command what it is confined in, comma-separated."""


def main() -> None:
    """Become the ordered command; its exit code is this process's."""
    with os.fdopen(os.dup(0), "rb", buffering=0) as stream:
        order = Order.read(stream)
    if order.parent is not None:
        die_with(order.parent)
    if order.limit_s is not None:
        signal.alarm(order.limit_s)
    root = Path(order.root)
    home = root / "home"
    (root / "tmp").mkdir(exist_ok=True)
    home.mkdir(exist_ok=True)
    for name, text in order.files.items():
        (root / name).write_text(text, encoding="utf-8")
    give_up_capabilities()
    confined = confine(root, order.reach, keeps_root=order.keeps_root)
    _put_on(order, home, ",".join(sorted(confined)))
    runpy.run_module(order.module, run_name="__main__", alter_sys=True)


def _put_on(order: Order, home: Path, confined: str) -> None:
    os.chdir(home)
    mark = {MARK: os.environ[MARK]} if MARK in os.environ else {}
    os.environ.clear()
    places = {"HOME": str(home), "TMPDIR": str(home.parent / "tmp")}
    os.environ.update({**places, **order.environ, **mark, CONFINED: confined})
    with os.fdopen(os.memfd_create("stdin"), "wb+") as given:
        given.write(order.stdin)
        given.seek(0)
        os.dup2(given.fileno(), 0)
    sys.argv = [order.module, *order.arguments]


if __name__ == "__main__":
    main()

"""`drctl demo`: the embedded regions, Airflow and sample assets."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, rows
from dr_lib.cli.session import Session, command
from dr_lib.errors import ObjectiveMissed, Refused

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the group."""
    demo = typer.Typer(no_args_is_help=True, help="Three real regions, Airflow and two real assets on this machine.")
    command(demo, "up", examples=["drctl demo up"])(up)
    command(demo, "run", examples=["drctl demo run --json"])(run)
    command(demo, "down", examples=["drctl demo down"])(down)
    command(demo, "status")(status)
    for lever in ("lose", "return", "revoke", "reinstate"):
        _add_lever(demo, lever)
    app.add_typer(demo, name="demo")


def up(session: Session) -> None:
    """Start the regions and Airflow, write a dr.yaml, stage the assets. Does nothing to what is up already."""
    from dr_lib.demo import commands

    facts = commands.up()
    session.output.show(facts, partial(_tell_site, facts=facts))


def run(session: Session) -> int:
    """Do the main job through Airflow: back up, replicate, verify, lose a region, drill. Exit code 3: not proven."""
    from dr_lib.demo import commands
    from dr_lib.demo.report import render

    report = commands.run()
    session.output.show(report, partial(render, report))
    return 0 if report["proven"] else ObjectiveMissed.exit_code


def down(session: Session) -> int:
    """End every process of the demo; its files stay. Exit code 7 when a port is still taken."""
    from dr_lib.demo import commands

    facts = commands.down()
    taken = ", ".join(str(port) for port in facts["ports_taken"])
    words = f"these ports are still taken by something else: {taken}" if taken else f"{facts['home']} is down"
    session.output.show(facts, lambda console: console.print(words))
    return Refused.exit_code if taken else 0


def status(session: Session) -> None:
    """What runs of the demo. Starts and changes nothing."""
    from dr_lib.demo import commands

    facts = commands.status()
    session.output.show(facts, partial(_tell_processes, facts=facts))


def _add_lever(demo: typer.Typer, lever: str) -> None:
    """One of the commands that drills call in the demo; people need not see them."""

    @command(demo, lever, hidden=True)
    def pull(
        session: Session,
        region: Annotated[str, typer.Argument(help="A region of the demo.", show_default=False)],
        home: Annotated[Path, typer.Option("--home", help="The demo's folder.")],
    ) -> None:
        """Do something to a region of the demo, or undo it."""
        from dr_lib.demo import commands
        from dr_lib.demo.workspace import Workspace

        facts = commands.pull(lever, region, Workspace(home.absolute()))
        session.output.show(facts, lambda console: console.print(f"{lever} {region}: done"))


def _tell_site(console: Console, facts: dict[str, Any]) -> None:
    names = {"home": "files", "config": "configuration", "url": "web interface", "user": "user", "password": "password"}
    pairs(console, [(words, facts[name]) for name, words in names.items()])


def _tell_processes(console: Console, facts: dict[str, Any]) -> None:
    regions = [(f"region {one['region']}", one["running"]) for one in facts["regions"]]
    airflow = [(f"airflow {one['process']}", one["running"]) for one in facts["airflow"]["processes"]]
    body = [(name, "running" if running else "down") for name, running in [*regions, *airflow]]
    if body:
        rows(console, ("process", ""), body)
    console.print("everything is up" if facts["up"] else "not everything is up: drctl demo up")

"""`drctl kit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows, size
from dr_lib.cli.session import Session, command
from dr_lib.errors import IntegrityError

if TYPE_CHECKING:
    from rich.console import Console

Regions = Annotated[list[str] | None, typer.Option("--region", help="Only this region; repeatable.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The one file in each vault that reads it with Python alone.")
    app.add_typer(group, name="kit")

    @command(group, "build", examples=["drctl kit build", "drctl kit build --region eu-west"])
    def build(session: Session, region: Regions = None) -> None:
        """Make this version's recovery kit, sign it, and store it in the vaults that have another or none."""
        progress = session.progress()
        try:
            found = session.runtime().build_kit(region, progress)
        finally:
            progress.finish()
        body = [(one["region"], "stored" if one["stored"] else "there already", one["key"]) for one in found["regions"]]
        session.output.show(found, lambda console: rows(console, ("region", "kit", "key"), body))

    @command(group, "list", examples=["drctl kit list", "drctl --json kit list"])
    def list_(session: Session) -> int:
        """Show the recovery kit of every region, and whether it is whole, signed and up to its vault's format."""
        found = session.runtime().kits()
        session.output.show(found, lambda console: _tell(console, found["regions"]))
        return 0 if found["ok"] else IntegrityError.exit_code

    @command(group, "save", examples=["drctl kit save --to kit.pyz", "drctl kit save --to kit.pyz --region eu-west"])
    def save(
        session: Session,
        to: Annotated[Path, typer.Option("--to", metavar="FILE", help="A file that is not there yet.")],
        region: Annotated[str | None, typer.Option("--region", help="Take it from this region.")] = None,
    ) -> None:
        """Write the recovery kit to a file, proven, to keep it where no region can take it along."""
        found = session.runtime().save_kit(to, region)
        told = f"{to} from {found['region']}\nsha256 {found['sha256']}"
        session.output.show(found, lambda console: console.print(told))


def _tell(console: Console, regions: list[dict[str, Any]]) -> None:
    rows(console, ("region", "kit", "size", "sha256", "made"), [_row(one) for one in regions])
    for one in regions:
        if one["why"]:
            console.print(f"{one['region']}: {one['why']}")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    made = (one.get("made_at") or "")[:19]
    return one["region"], one["state"], size(one.get("bytes", 0)), one.get("sha256", "")[:16], made

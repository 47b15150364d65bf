"""`drctl hold`: naming why a point must not be deleted, and seeing what is held."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

Asset = Annotated[str, typer.Argument(help="The point's asset.")]
Point = Annotated[str, typer.Argument(help="The point's id.")]
Name = Annotated[str, typer.Option("--name", help="Tells holds of one point apart.")]
Reason = Annotated[str, typer.Option("--reason", help="For whoever reads it later.")]
HEADINGS = ("asset", "point", "name", "reason", "since", "regions")


def register(app: typer.Typer) -> None:
    """Add the group."""
    hold = typer.Typer(no_args_is_help=True, help="Hold points against deletion, and list what is held.")
    command(hold, "add", examples=["drctl hold add minilm POINT --name audit-7 --reason 'asked for by legal'"])(add)
    command(hold, "remove", examples=["drctl hold remove minilm POINT --name audit-7 --reason 'case closed'"])(remove)
    command(hold, "list", examples=["drctl hold list", "drctl hold list minilm --json"])(list_holds)
    app.add_typer(hold, name="hold")


def add(session: Session, asset: Asset, point: Point, name: Name, reason: Reason) -> None:
    """Hold a point in every region that has it: no prune deletes it until the hold is removed."""
    document = session.runtime().add_hold(asset, point, name, reason)
    session.output.show(document, partial(_tell, document=document, what=f"held as {name}"))


def remove(session: Session, asset: Asset, point: Point, name: Name, reason: Reason) -> None:
    """Take a hold back in every region."""
    document = session.runtime().remove_hold(asset, point, name, reason)
    session.output.show(document, partial(_tell, document=document, what=f"no longer held as {name}"))


def list_holds(
    session: Session, asset: Annotated[str | None, typer.Argument(help="Only this asset's.")] = None
) -> None:
    """Holds in force, and why."""
    document = session.runtime().list_holds(asset)
    session.output.show(document, partial(_tell_list, document=document))


def _tell(console: Console, document: dict[str, Any], what: str) -> None:
    console.print(f"{document['point']} of {document['asset']} is {what} in {', '.join(document['regions'])}")


def _tell_list(console: Console, document: dict[str, Any]) -> None:
    body = [_row(one) for one in document["holds"]]
    if body:
        rows(console, HEADINGS, body)
    else:
        console.print("nothing is held")
    for silent in document["silent"]:
        console.print(f"!! there may be more: {silent}")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    name, reason = one["name"] or "cannot be read", one["reason"] or "-"
    return (one["asset"], one["point"], name, reason, one["at"], "\n".join(one["regions"]))

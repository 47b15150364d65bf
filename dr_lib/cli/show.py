"""`drctl show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows, size
from dr_lib.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

FILES = ("file", "size", "mode", "sha256")
TENSORS = ("tensor", "type", "shape", "min", "max", "mean", "NaN", "Inf")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app, "show", examples=["drctl show minilm", "drctl show minilm latest-verified --search encoder --limit 20"]
    )
    def show(
        session: Session,
        asset: Annotated[str, typer.Argument(help="The asset.")],
        point: Annotated[str, typer.Argument(help="A point's id, latest or latest-verified.")] = "latest",
        region: Annotated[str | None, typer.Option(help="Ask this region alone.")] = None,
        search: Annotated[str, typer.Option(help="Only files and tensors with this text in their names.")] = "",
        offset: Annotated[int, typer.Option(min=0, help="Leave out so many from the beginning.")] = 0,
        limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 1000,
    ) -> None:
        """Show what lies in a point: its files, and its tensors with what their numbers look like."""
        found = session.runtime().contents(asset, point, region=region, search=search, offset=offset, limit=limit)
        session.output.show(found, lambda console: _tables(console, found))


def _tables(console: Console, found: dict[str, Any]) -> None:
    console.print(
        f"{found['point']}: {found['file_count']} files, {found['tensor_count']} tensors, told by {found['region']}"
    )
    rows(
        console,
        FILES,
        ((one["path"], size(one["bytes"]), one["mode"], f"{one['sha256'][:16]}…") for one in found["files"]),
    )
    if found["tensors"]:
        rows(console, TENSORS, (_tensor(one) for one in found["tensors"]))
    if found["next"] is not None:
        console.print(f"There is more: --offset {found['next']}")


def _tensor(one: dict[str, Any]) -> tuple[Any, ...]:
    figures = [None if one[name] is None else f"{one[name]:.4g}" for name in ("min", "max", "mean")]
    shape = "×".join(map(str, one["shape"])) or "scalar"
    told = (*figures, one["nan"], one["inf"])
    return (one["name"], one["dtype"], shape, *("-" if figure is None else figure for figure in told))

"""`drctl quarantine`: points that are unlike the ones before, and trusting them again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, rows
from dr_lib.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("asset", "point", "regions", "why")


def register(app: typer.Typer) -> None:
    """Add the group."""
    quarantine = typer.Typer(no_args_is_help=True, help="Points that are unlike the ones before; trust them again.")
    command(quarantine, "list", examples=["drctl quarantine list", "drctl quarantine list minilm --json"])(list_points)
    command(
        quarantine,
        "clear",
        examples=[
            "drctl quarantine clear minilm 20261123T190637056258Z-4e1b9a84 --reason 'a planned retraining'",
            "drctl quarantine clear minilm 20261123T190637056258Z-4e1b9a84 --holds-only --reason 'mended'",
        ],
    )(clear)
    app.add_typer(quarantine, name="quarantine")


def list_points(
    session: Session, asset: Annotated[str | None, typer.Argument(help="Only this asset's.")] = None
) -> None:
    """List the points in quarantine, newest first, and why. Earlier points are on hold because of them."""
    found = session.runtime().quarantined(asset)
    session.output.show(found, partial(_tell, found=found))


def clear(
    session: Session,
    asset: Annotated[str, typer.Argument(help="An asset of dr.yaml.", show_default=False)],
    point: Annotated[str, typer.Argument(help="The point's id.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="What you found; it is kept with the point.")],
    *,
    holds_only: Annotated[
        bool, typer.Option("--holds-only", help="Only end the holds: the point is bad, and the matter is over.")
    ] = False,
) -> None:
    """Trust a point again, in every region, and end the holds that it caused on earlier points."""
    document = session.runtime().clear_quarantine(asset, point, reason, holds_only=holds_only)
    session.output.show(document, partial(_tell_ended, document=document))


def _tell(console: Console, found: list[dict[str, Any]]) -> None:
    body = [(one["asset"], one["point"], "\n".join(one["regions"]), "\n".join(_why(one))) for one in found]
    rows(console, HEADINGS, body)


def _why(one: dict[str, Any]) -> list[str]:
    count = len(one["held"])
    held = [f"{count} earlier point{' is' if count == 1 else 's are'} on hold"] if count else []
    return [*one["findings"], *held, *([] if one["committed"] else ["it was never committed"])]


def _tell_ended(console: Console, document: dict[str, Any]) -> None:
    released = [f"{region}: {len(points)}" for region, points in document["released"].items() if points]
    facts = [
        ("point", f"{document['point']} of {document['asset']}"),
        ("trusted", ", ".join(document["cleared"]) or "no: it stays in quarantine"),
        ("holds over", ", ".join(released) or "none"),
    ]
    pairs(console, facts)

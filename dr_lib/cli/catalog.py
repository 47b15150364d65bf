"""`drctl catalog`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, rows, span
from dr_lib.cli.session import Session, command
from dr_lib.errors import ObjectiveMissed

if TYPE_CHECKING:
    from rich.console import Console

REFRESH = ("drctl catalog refresh", "drctl catalog refresh minilm reviews")
REBUILD = ("drctl catalog rebuild",)
SHOW = ("drctl catalog show", "drctl catalog show --search mini --json")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="The cache that the page and the alarms read.")
    app.add_typer(group, name="catalog")

    @command(group, "refresh", examples=REFRESH)
    def refresh(
        session: Session,
        assets: Annotated[list[str] | None, typer.Argument(help="Else all of dr.yaml.", show_default=False)] = None,
    ) -> int:
        """Look at what the regions hold and write it into the catalog. Exit code 3 when something is wrong with it."""
        document = session.runtime().refresh_catalog(tuple(assets or ()))
        session.output.show(document, lambda console: _tell_refreshed(console, document))
        return 0 if document["ok"] else ObjectiveMissed.exit_code

    @command(group, "rebuild", examples=REBUILD)
    def rebuild(session: Session) -> int:
        """Throw the catalog away and make it anew from the regions: nothing else is lost with it."""
        document = session.runtime().rebuild_catalog()
        session.output.show(document, lambda console: _tell_refreshed(console, document))
        return 0 if document["ok"] else ObjectiveMissed.exit_code

    @command(group, "show", examples=SHOW)
    def show(
        session: Session,
        search: Annotated[str, typer.Option("--search", metavar="TEXT", help="Only assets whose name has it.")] = "",
        limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many assets at the most.")] = 100,
    ) -> int:
        """How everything stands by the catalog, in one query. Exit code 3 when not all is known to be protected."""
        runtime = session.runtime()
        overview, assets = runtime.overview(), runtime.asset_views(search, limit=limit)
        document = {"overview": overview, "assets": assets}
        session.output.show(document, lambda console: _tell(console, document))
        well = not (overview["failing"] or overview["unknown"] or overview["never_seen"])
        return 0 if well else ObjectiveMissed.exit_code


def _tell_refreshed(console: Console, document: dict[str, Any]) -> None:
    body = [
        (one["asset"], one["points"], "well" if not one["problems"] else "\n".join(one["problems"]))
        for one in document["assets"]
    ]
    rows(console, ("asset", "points", ""), body)
    if document["forgotten"]:
        pairs(console, [("not in dr.yaml any more", ", ".join(document["forgotten"]))])


def _tell(console: Console, document: dict[str, Any]) -> None:
    found = document["overview"]
    counts = [f"{found[name]} {name.replace('_', ' ')}" for name in ("protected", "failing", "unknown", "never_seen")]
    facts = [("assets", ", ".join(counts))]
    facts += [("failing since", found["failing_since"])] if found["failing"] else []
    pairs(console, facts)
    body = [
        (
            one["asset"],
            one["protection"].upper() if one["protection"] != "protected" else one["protection"],
            "-" if one["rpo_s"] is None else span(one["rpo_s"]),
            "\n".join(f"{region['region']} {region['state']}" for region in one["regions"]),
            "\n".join(one["problems"]),
        )
        for one in document["assets"]
    ]
    rows(console, ("asset", "", "RPO", "newest copy", "problems"), body)

"""`drctl smoke`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, rows, span
from dr_lib.cli.session import Session, command
from dr_lib.errors import ObjectiveMissed

if TYPE_CHECKING:
    from rich.console import Console

EXAMPLES = (
    "drctl smoke minilm --dir /srv/minilm",
    "drctl smoke minilm --dir /srv/minilm --point 20261123T180000Z-1f2e3d4c",
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "smoke", examples=EXAMPLES)
    def smoke(
        session: Session,
        asset: Annotated[str, typer.Argument(help="An asset of dr.yaml.", show_default=False)],
        directory: Annotated[str, typer.Option("--dir", metavar="DIR", help="Where it was restored to.")],
        point: Annotated[
            str, typer.Option("--point", help="Whose recorded answers it must give: an id, latest, or latest-verified.")
        ] = "latest",
    ) -> int:
        """Load what was restored in a fresh process and compare its answers. Exit code 3 when they differ."""
        document = session.runtime().smoke(asset, directory, point)
        session.output.show(document, lambda console: tell_smoke(console, document))
        return 0 if document["passed"] else ObjectiveMissed.exit_code


def tell_smoke(console: Console, document: dict[str, Any]) -> None:
    """The judged comparisons, then what was measured."""
    body = [
        (check["name"], check["measured"], check["required"], "held" if check["passed"] else "MISSED")
        for check in document["checks"]
    ]
    rows(console, ("smoke test", "measured", "required", ""), body)
    facts = [
        ("accelerator", document["accelerator"]),
        ("loaded in", span(document["load_s"])),
        ("first output in", span(document["first_output_s"])),
    ]
    told = [("likely cause", document["cause"]), ("next", document.get("next_step", ""))] if document["cause"] else []
    pairs(console, facts + told)

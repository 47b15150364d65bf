"""`drctl drill`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, size, span
from dr_lib.cli.session import Session, command
from dr_lib.cli.smoke import tell_smoke
from dr_lib.errors import ObjectiveMissed

if TYPE_CHECKING:
    from rich.console import Console

PROVEN = "proven"
EXAMPLES = (
    "drctl drill minilm",
    "drctl drill minilm --scenario region-lost --region us-east",
    "drctl drill minilm --disaster-at 2026-11-23T18:00:00Z",
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "drill", examples=EXAMPLES)
    def drill(
        session: Session,
        asset: Annotated[str, typer.Argument(help="An asset of dr.yaml.", show_default=False)],
        scenario: Annotated[str | None, typer.Option("--scenario", help="Else the asset's.")] = None,
        region: Annotated[str | None, typer.Option("--region", help="The region that is lost; else the first.")] = None,
        disaster_at: Annotated[
            str | None, typer.Option("--disaster-at", metavar="TIME", help="When it was lost; else now.")
        ] = None,
    ) -> int:
        """Lose a region, restore into the standby, test, and write the evidence. Exit code 3 when not proven."""
        document = session.runtime().drill(asset, scenario, region, disaster_at)
        session.output.show(document, lambda console: _tell(console, document))
        return 0 if document["verdict"] == PROVEN else ObjectiveMissed.exit_code


def _tell(console: Console, document: dict[str, Any]) -> None:
    phases = ", ".join(f"{name} {span(seconds)}" for name, seconds in document["phases"].items())
    facts = [
        ("drill", f"{document['drill']} of {document['asset']}: {document['verdict'].upper()}"),
        ("lost", f"{document['lost_region']} ({document['lost_how']})"),
        ("restored", f"{document['point']} from {document['restored_from']}, {size(document['bytes'])}"),
        ("RPO", f"{span(document['rpo_s'])}, promised {span(document['rpo_objective_s'])}"),
        ("RTO", f"{span(document['rto_s'])}, promised {span(document['rto_objective_s'])}"),
        ("phases", phases),
        *(("because", reason) for reason in document["reasons"]),
        *(("not shown", text) for text in document["unproven"]),
        *(("evidence", f"{region}: {key}") for region, key in document["evidence"].items()),
    ]
    pairs(console, facts)
    if document["smoke"]:
        tell_smoke(console, document["smoke"])

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
    "drctl smoke minilm --dir /srv/minilm --control",
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
        control: Annotated[bool, typer.Option("--control", help="Also hold it to copies damaged on purpose.")] = False,
    ) -> int:
        """Load what was restored in a fresh process and compare its answers. Exit code 3 when they differ.

        With --control copies are damaged on purpose, too: exit code 3 when the test does not notice one.
        """
        document = session.runtime().smoke(asset, directory, point, control=control)
        session.output.show(document, lambda console: _tell(console, document))
        return 0 if document["passed"] and not _missed(document) else ObjectiveMissed.exit_code


def _missed(document: dict[str, Any]) -> bool:
    control = document.get("control")
    return control is not None and any(one["caught"] is False for one in control["controls"])


def _tell(console: Console, document: dict[str, Any]) -> None:
    tell_smoke(console, document)
    if document.get("control"):
        tell_control(console, document["control"])


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


def tell_control(console: Console, control: dict[str, Any]) -> None:
    """The copies damaged on purpose, and the smallest damage that is noticed."""
    words = {True: "noticed", False: "NOT NOTICED", None: "not tried"}
    body = [(one["name"], words[one["caught"]], one["detail"]) for one in control["controls"]]
    rows(console, ("damaged on purpose", "", "what happened"), body)
    if control["detection_limit"] is not None:
        limit = f"noise of {control['detection_limit']:.2g} of the norm of {control['limit_tensor']}"
        pairs(console, [("smallest noticed", limit)])

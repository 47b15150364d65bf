"""`drctl evidence`: what drills showed, whether it still stands as it was signed, and pages to hand on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import lock, pairs, rows, size, span
from dr_lib.cli.session import Session, command
from dr_lib.errors import IntegrityError

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("drill point", "showed", "measured", "regions")
Asset = Annotated[str, typer.Argument(help="An asset of dr.yaml.", show_default=False)]
AnyAsset = Annotated[str | None, typer.Argument(metavar="[ASSET]", help="Only this asset's.", show_default=False)]
Drill = Annotated[str, typer.Argument(metavar="[DRILL]", help="Its id, as `evidence list` tells it.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many of each asset.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the page here.")]
Pdf = Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write the PDF here.")]
Size = Annotated[str | None, typer.Option("--size", metavar="BYTES", help="Of an asset so large, like 500GB.")]
Link = Annotated[str | None, typer.Option("--link", metavar="RATE", help="Over such a link, like 1GB/s.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="List, read, prove and render the signed evidence of drills.")
    command(group, "list", examples=["drctl evidence list", "drctl evidence list minilm --json"])(list_evidence)
    command(group, "show", examples=["drctl evidence show minilm", "drctl evidence show minilm DRILL --json"])(show)
    command(group, "verify", examples=["drctl evidence verify", "drctl evidence verify minilm --json"])(verify)
    command(group, "render", examples=["drctl evidence render minilm --html drill.html --pdf drill.pdf"])(render)
    command(group, "predict", examples=["drctl evidence predict minilm --size 500GB --link 1GB/s"])(predict)
    app.add_typer(group, name="evidence")


def list_evidence(session: Session, asset: AnyAsset = None, limit: Limit = 50) -> int:
    """The newest drills that there is evidence of. Exit code 4 when some does not count."""
    document = session.runtime().evidence(asset, limit)
    session.output.show(document, partial(_tell_list, document=document))
    return IntegrityError.exit_code if document["problems"] else 0


def show(session: Session, asset: Asset, drill: Drill = "latest") -> None:
    """One drill's evidence, proven and readable; with --json all that it states."""
    document = session.runtime().show_evidence(asset, drill)
    session.output.show(document, partial(_tell, document=document))


def verify(session: Session, asset: AnyAsset = None) -> int:
    """Check signature, schema, chain and recovery point of all evidence. Exit code 4 when something does not hold."""
    document = session.runtime().verify_evidence(asset)
    session.output.show(document, partial(_tell_verified, document=document))
    return 0 if document["ok"] else IntegrityError.exit_code


def render(session: Session, asset: Asset, drill: Drill = "latest", html: Html = None, pdf: Pdf = None) -> None:
    """Make one page that opens without network, and a PDF, of evidence that holds; of other evidence nothing."""
    if html is None and pdf is None:
        raise typer.BadParameter("name a file: --html, --pdf or both")
    document = session.runtime().render_evidence(asset, drill, html, pdf)
    written = [f"{path}, {size(count)}" for path, count in document["files"].items()]
    session.output.show(document, lambda console: console.print("\n".join(written)))


def predict(session: Session, asset: Asset, size_of: Size = None, link: Link = None) -> None:
    """What a recovery will take, by earlier drills, also of a larger asset or over another link."""
    document = session.runtime().predict_rto(asset, size_of, link)
    session.output.show(document, partial(_tell_forecast, document=document))


def _tell_list(console: Console, document: dict[str, Any]) -> None:
    body = [_row(one) for one in document["evidence"]]
    if body:
        rows(console, HEADINGS, body)
    else:
        console.print("there is no evidence of any drill")
    _tell_odd(console, document["problems"], [f"{r}: {what}" for r, what in document["silent"].items()])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    measured = f"RTO {span(one['rto_s'])}\nRPO {span(one['rpo_s'])}\n{span(one['age_s'])} ago"
    shown = f"{one['scenario']}\n{one['verdict']}"
    return (f"{one['drill']}\nof {one['asset']}", shown, measured, "\n".join(one["regions"]))


def _tell(console: Console, document: dict[str, Any]) -> None:
    told = document["statement"]["predicate"]
    phases = ", ".join(f"{phase['name']} {_seconds(phase['seconds'])}" for phase in told["phases"])
    signed = ", ".join(document["signed_by"]) or "nobody: no signers are named in dr.yaml"
    before = document["previous"]["key"] if document["previous"] else "none"
    facts = [
        ("drill", f"{document['drill']} of {document['asset']}: {document['verdict'].upper()}"),
        ("scenario", f"{document['scenario']}, expected {document['expected']}"),
        ("lost", told["lost_how"]),
        ("restored", f"{told['point'] or '-'} from {told['restored_from'] or '-'}"),
        ("point", document["point"]),
        ("RPO", f"{span(document['rpo_s'])}, promised {span(told['rpo_objective_s'])}"),
        ("RTO", f"{span(document['rto_s'])}, promised {span(told['rto_objective_s'])}"),
        ("phases", phases or "-"),
        *(("because", reason) for reason in told["reasons"]),
        *(("not shown", text) for text in told["unproven"]),
        ("signed by", signed),
        ("sha256", document["sha256"]),
        ("after", before),
        *(("in", f"{region}{lock(document['locks'].get(region))}") for region in document["regions"]),
    ]
    pairs(console, facts)


def _seconds(value: Any) -> str:
    return span(value) if isinstance(value, int | float) else str(value)


def _tell_verified(console: Console, document: dict[str, Any]) -> None:
    for one in document["assets"]:
        bad = {problem["drill"] for problem in one["problems"]}
        held = [found for found in one["evidence"] if found["drill"] not in bad]
        console.print(f"{one['asset']}: {len(held)} of {len(held) + len(bad)} hold")
        rows(console, ("drill point", "verdict", "recovery", "regions"), [_proof(found) for found in held])
        _tell_odd(console, one["problems"], one["notes"])


def _proof(one: dict[str, Any]) -> tuple[str, ...]:
    places = "\n".join(f"{region}{lock(one['locks'].get(region))}" for region in one["regions"])
    signed = f"signed by {', '.join(one['signed_by']) or 'nobody'}"
    return (f"{one['drill']}\n{signed}", one["verdict"], one["point"], places)


def _tell_odd(console: Console, problems: list[dict[str, Any]], notes: list[str]) -> None:
    for problem in problems:
        console.print(f"!! {problem['drill']}: {problem['what']} [{problem['where']}]")
    for note in notes:
        console.print(f"note: {note}")


def _tell_forecast(console: Console, document: dict[str, Any]) -> None:
    if document["seconds"] is None:
        console.print(f"nothing can be foretold: {document['why']}")
        return
    between = f"{span(document['low_s'])} to {span(document['high_s'])}, nine times out of ten"
    facts = [("RTO", f"{span(document['seconds'])} ({between})"), ("size", size(document["bytes"]))]
    facts += [(name, span(seconds)) for name, seconds in document["phases"].items()]
    pairs(console, [*facts, *(("note", note) for note in document["notes"])])

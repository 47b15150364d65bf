"""`drctl drill`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import lock, pairs, rows, size, span
from dr_lib.cli.session import Session, command
from dr_lib.cli.smoke import tell_control, tell_smoke
from dr_lib.errors import ObjectiveMissed, Refused, UsageError

if TYPE_CHECKING:
    from rich.console import Console

PROVEN = "proven"
REFUSAL = "refusal"
EXAMPLES = (
    "drctl drill minilm",
    "drctl drill minilm --scenario region-lost --region us-east",
    "drctl drill minilm --disaster-at 2026-11-23T18:00:00Z",
    "drctl drill --list",
    "drctl drill --undo",
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "drill", examples=EXAMPLES)
    def drill(
        session: Session,
        asset: Annotated[str | None, typer.Argument(help="An asset of dr.yaml.", show_default=False)] = None,
        scenario: Annotated[str | None, typer.Option("--scenario", help="Else the one that is due.")] = None,
        region: Annotated[str | None, typer.Option("--region", help="The region that is lost; else the first.")] = None,
        disaster_at: Annotated[
            str | None, typer.Option("--disaster-at", metavar="TIME", help="When another hand took it away; else now.")
        ] = None,
        undo: Annotated[bool, typer.Option("--undo", help="Only undo what drills that died have left.")] = False,
        listed: Annotated[bool, typer.Option("--list", help="Only show how every scenario stands.")] = False,
    ) -> int:
        """Bring a disaster over an asset, restore it into the standby, test it, and write the evidence.

        As far as dr.yaml allows the disaster is real; it is undone, whatever happens. Exit code 3 when not proven.
        """
        if undo:
            return _undo(session)
        if listed:
            return _list(session, asset)
        if asset is None:
            raise UsageError("no asset is named", hint="drctl drill ASSET, or --list, or --undo")
        document = session.runtime().drill(asset, scenario, region, disaster_at)
        session.output.show(document, lambda console: _tell(console, document))
        return 0 if document["verdict"] == PROVEN else ObjectiveMissed.exit_code


def _undo(session: Session) -> int:
    document = session.runtime().undo_drills()
    session.output.show(document, lambda console: _tell_undone(console, document))
    return 0 if document["ok"] else Refused.exit_code


def _list(session: Session, asset: str | None) -> int:
    document = session.runtime().drills(asset)
    session.output.show(document, partial(_tell_matrix, document=document))
    return 0


def _tell_undone(console: Console, document: dict[str, Any]) -> None:
    for one in document["undone"]:
        console.print(f"undone: {one['scenario']} of {one['asset']}, drill {one['drill']}")
        for note in one["notes"]:
            console.print(f"  {note}")
    for one in document["failed"]:
        console.print(f"NOT undone: {one['scenario']} of {one['asset']}, drill {one['drill']}: {one['why']}")
    for problem in document["unswept"]:
        console.print(f"NOT looked at for what drills left: {problem}")
    if not document["undone"] and not document["failed"]:
        console.print("no drill has left anything to undo")


def _tell_matrix(console: Console, document: dict[str, Any]) -> None:
    tell_scenarios(console, document["assets"])
    for asset in document["assets"]:
        for problem in asset["problems"]:
            console.print(f"{asset['asset']}: {problem}")


def tell_scenarios(console: Console, assets: list[dict[str, Any]]) -> None:
    """How every scenario of every asset stands, a line each."""
    body = [
        (asset["asset"], one["scenario"], _verdict(one), "-" if one["age_s"] is None else f"{span(one['age_s'])} ago")
        for asset in assets
        for one in asset["scenarios"]
    ]
    if body:
        rows(console, ("asset", "scenario", "last drill", "when"), body)


def _verdict(one: dict[str, Any]) -> str:
    if one["verdict"] is None:
        return "never"
    stale = one["verdict"] == PROVEN and not one["policy_current"]
    return "not proven (policy changed)" if stale else str(one["verdict"])


def _tell(console: Console, document: dict[str, Any]) -> None:
    phases = ", ".join(f"{name} {span(seconds)}" for name, seconds in document["phases"].items())
    facts = [
        ("drill", f"{document['drill']} of {document['asset']}: {document['verdict'].upper()}"),
        ("scenario", document["scenario"]),
        *_tell_disaster(document),
        *_tell_recovery(document),
        ("phases", phases),
        *(("because", reason) for reason in document["reasons"]),
        *(("not shown", text) for text in document["unproven"]),
        *(("evidence", _kept(region, key, document)) for region, key in document["evidence"].items()),
    ]
    pairs(console, facts)
    if document["smoke"]:
        tell_smoke(console, document["smoke"])
    if document.get("control"):
        tell_control(console, document["control"])


def _kept(region: str, key: str, document: dict[str, Any]) -> str:
    return f"{region}: {key}{lock(document.get('evidence_locks', {}).get(region))}"


def _tell_disaster(document: dict[str, Any]) -> list[tuple[str, str]]:
    applied = document.get("applied")
    if applied is None:
        return [("lost", f"{document['lost_region']} ({document['lost_how']})")]
    undone = {True: "; everything is as before", False: "; NOT UNDONE", None: ""}[applied["undone"]]
    really = "" if applied["really"] else "not really: "
    skew = document.get("clock_skew_s")
    told = [("disaster", f"{really}{applied['how']}{undone}")]
    return told + ([("clock", f"{skew:+.1f} s off the region's; times are the region's")] if abs(skew or 0) > 5 else [])


def _tell_recovery(document: dict[str, Any]) -> list[tuple[str, str]]:
    rpo = ("RPO", f"{span(document['rpo_s'])}, promised {span(document['rpo_objective_s'])}")
    if document.get("expected") == REFUSAL:
        blocked = [row["name"] for row in document["preflight"] if row["class"] == "blocking"]
        return [("refused for", ", ".join(blocked) or "nothing"), rpo]
    return [
        *(("detour", text) for text in document.get("detours", ())),
        ("restored", f"{document['point']} from {document['restored_from']}, {size(document['bytes'])}"),
        rpo,
        ("RTO", f"{span(document['rto_s'])}, promised {span(document['rto_objective_s'])}"),
    ]

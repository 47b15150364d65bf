"""`drctl prune`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows, size, span
from dr_lib.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("asset", "point", "fate", "why")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(
        app, "prune", examples=["drctl prune", "drctl prune minilm --apply", "drctl prune --region us-east --apply"]
    )
    def prune(
        session: Session,
        asset: Annotated[str | None, typer.Argument(help="Only this asset's points.")] = None,
        region: Annotated[str | None, typer.Option("--region", help="Only in this region.")] = None,
        *,
        apply: Annotated[bool, typer.Option("--apply", help="Plan, and delete what was planned long ago.")] = False,
    ) -> int:
        """Show which points no rule of `retention` keeps; with --apply, let them go in two phases.

        The first phase writes a plan and deletes nothing. A run after the grace period decides again and deletes what
        both name. Exit code 7 when a policy would keep nothing, or it cannot be told what a region needs.
        """
        document = session.runtime().prune(asset, region, apply=apply)
        session.output.show(document, partial(_tell, document=document))
        return int(document["exit_code"])


def _tell(console: Console, document: dict[str, Any]) -> None:
    body = [row for judged in document["assets"] for row in _fates(judged)]
    if body:
        rows(console, HEADINGS, body)
    for region in document["regions"]:
        for line in _lines(region, document):
            console.print(f"{region['region']}: {line}")
    for problem in document["problems"]:
        console.print(f"!! {problem}")
    if not document["applied"]:
        console.print("nothing was changed; --apply plans and deletes")


def _fates(judged: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for point in judged["points"]:
        if not point["expires"]:
            yield judged["asset"], point["point"], "stays", "\n".join(point["reasons"])
        elif judged["refused"]:
            yield judged["asset"], point["point"], "stays", "refused, see below"
        else:
            yield judged["asset"], point["point"], "may go", "no rule keeps it"


def _lines(region: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    for done in region["executed"]:
        yield f"plan {done['plan']} {done['state']}: deleted {_amount(done)}{_kept(done)}"
        yield from (f"locked until {one['until']}: {one['key']}" for one in done["locked"])
    for plan in region["due"]:
        yield f"plan {plan['plan']} is due: {_amount(plan)}"
    for plan in region["waiting"]:
        yield f"plan {plan['plan']} waits until {plan['due_at']}: {_amount(plan)}"
    yield from _proposed(region, span(document["grace_s"]))
    yield from region["warnings"]


def _proposed(region: dict[str, Any], grace: str) -> Iterator[str]:
    found = region["proposed"]
    if found is None:
        return
    if region["plan"]:
        yield f"planned {_amount(found)} as {region['plan']}; deleted by a run in {grace} or later"
    elif found["objects"]:
        yield f"would plan {_amount(found)}"
    else:
        yield "nothing new to plan"
    yield from (f"locked until {one['until']}: {one['key']}" for one in found["locked"])
    yield from (f"kept for a backup that said it needs it and never committed: {key}" for key in found["held_up"])


def _amount(one: dict[str, Any]) -> str:
    return f"{_count(len(one['points']), 'point')}, {_count(one['objects'], 'object')}, {size(one['bytes'])}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _kept(done: dict[str, Any]) -> str:
    return f"; kept {', '.join(done['kept'])}, which something keeps by now" if done["kept"] else ""

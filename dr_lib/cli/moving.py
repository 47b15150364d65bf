"""What `drctl failover` and `drctl failback` share."""

from __future__ import annotations

import getpass
import platform
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, size, span
from dr_lib.cli.session import Session
from dr_lib.errors import Refused, UsageError

if TYPE_CHECKING:
    from rich.console import Console

EndpointName = Annotated[str, typer.Argument(help="An endpoint of dr.yaml.", show_default=False)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the vaults.", show_default=False)]
Point = Annotated[str, typer.Option("--point", help="A point's id, or latest-verified.")]
Planned = Annotated[bool, typer.Option("--planned", help="Also while the site that serves is healthy.")]
Differ = Annotated[
    bool, typer.Option("--answers-may-differ", help="Serve although the answers are not those that are recorded.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]


def run(
    session: Session,
    endpoint: str,
    to: str,
    reason: str,
    point: str,
    *,
    planned: bool,
    answers_may_differ: bool,
    yes: bool,
    dry_run: bool,
) -> int:
    """Plan a move, ask, do it, tell."""
    from dr_lib.model.serving import Site, Wish

    if not reason.strip() and not dry_run:
        raise UsageError("--reason is missing", hint="say why in a few words: it is kept in the vaults")
    runtime = session.runtime()
    if dry_run or not yes:
        plan = runtime.plan_move(endpoint, to, point, is_planned=planned)
        if dry_run:
            session.output.show(plan, lambda console: tell_plan(console, plan))
            return Refused.exit_code if plan["objection"] else 0
        _ask(session, plan)
    wish = Wish(endpoint, Site(to), reason, _who(), point, planned, answers_may_differ)
    done = runtime.move_endpoint(wish, session.progress())
    session.output.show(done, lambda console: tell_done(console, done))
    return 0


def _ask(session: Session, plan: dict[str, Any]) -> None:
    """A person's yes; `UsageError` where nobody can be asked."""
    if plan["objection"]:
        return  # which the move itself refuses, with what to do next
    if session.as_json or not sys.stdin.isatty():
        raise UsageError("nobody can be asked here", hint="look with --dry-run, then give --yes")
    from dr_lib.cli.output import console

    tell_plan(console(stderr=True), plan)
    typer.confirm(f"Move the traffic of {plan['endpoint']} to the {plan['to']}?", abort=True, err=True)


def _who() -> str:
    return f"{getpass.getuser()}@{platform.node()}"


def tell_plan(console: Console, plan: dict[str, Any]) -> None:
    """What would happen."""
    lease = plan["lease"]
    held = f"held by {lease['holder']} at `{lease['step']}` until {lease['until'][:19]}" if _is_held(lease) else "free"
    facts = [
        ("traffic", f"{plan['traffic']} serves, and would be {plan['to']}"),
        *((site, _stand(stand)) for site, stand in plan["sites"].items()),
        ("lease", held),
        ("point", f"{plan['point']} of {plan['created_at'][:19]}, {size(plan['bytes'])} from {plan['region']}"),
        ("into", plan["directory"] or "nothing is restored: the site names no directory"),
    ]
    if plan["objection"]:
        facts.append(("REFUSED", plan["objection"]))
    pairs(console, facts)


def tell_done(console: Console, done: dict[str, Any]) -> None:
    """What happened."""
    if not done["moved"]:
        console.print(f"{done['endpoint']}: the {done['to']} serves already; nothing was changed")
        return
    outage = done["outage"]
    told = f"{span(outage['seconds'])} without a right answer" if outage["seconds"] else "none"
    told += "" if outage["is_over"] else ", and not over as far as is known"
    phases = ", ".join(f"{name} {span(seconds)}" for name, seconds in done["phases"].items())
    facts = [
        ("moved", f"{done['endpoint']} from the {done['from']} to the {done['to']}"),
        ("point", f"{done['point']} from {done['region']}" if done["region"] else done["point"]),
        ("took", f"{span(done['seconds'])} ({phases})"),
        ("outage", f"{told}; {outage['answered']} of {outage['asked']} questions were answered rightly meanwhile"),
    ]
    if done["smoke"]:
        facts.append(("smoke test", f"passed on {done['smoke']['accelerator']}"))
    facts += [("kept in", ", ".join(done["events"]) or "NO REGION: nobody took the record")]
    pairs(console, facts + [("WARNING", text) for text in done["warnings"]])


def _is_held(lease: dict[str, Any] | None) -> bool:
    return lease is not None and not lease["done"]


def _stand(stand: dict[str, Any]) -> str:
    return f"{stand['verdict']}: {stand['why']}" if stand["why"] else str(stand["verdict"])

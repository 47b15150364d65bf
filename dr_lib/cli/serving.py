"""`drctl serving`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import rows
from dr_lib.cli.moving import EndpointName
from dr_lib.cli.session import Session, command
from dr_lib.errors import ObjectiveMissed

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("endpoint", "served by", "primary", "standby", "lease", "")


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Who serves, how both sites stand, and what is done about it.")
    app.add_typer(group, name="serving")

    @command(group, "status", examples=["drctl serving status", "drctl serving status minilm-api --json"])
    def status(
        session: Session,
        endpoint: Annotated[str | None, typer.Argument(help="One endpoint; else all.", show_default=False)] = None,
    ) -> int:
        """Ask switches, servers and vaults how endpoints stand now. Exit code 3 when callers are not served well."""
        found = session.runtime().serving_status(endpoint)
        session.output.show(found, lambda console: tell_status(console, found["endpoints"]))
        return 0 if found["ok"] else ObjectiveMissed.exit_code

    @command(group, "watch", examples=["drctl serving watch minilm-api", "drctl serving watch minilm-api --act"])
    def watch(
        session: Session,
        endpoint: EndpointName,
        act: Annotated[bool, typer.Option("--act", help="Fail over by itself, if dr.yaml says automatic.")] = False,
        times: Annotated[int, typer.Option("--times", min=0, help="So many looks; 0 goes on until it acted.")] = 0,
    ) -> int:
        """Look again and again, tell people, and fail over where nobody has to be asked.

        The DAG dr_serving does the same each minute.
        """
        return _watch(session, endpoint, act=act, times=times)

    @command(group, "record", examples=["drctl serving record minilm-api --questions ask.jsonl --out answers.jsonl"])
    def record(
        session: Session,
        endpoint: EndpointName,
        questions: Annotated[Path, typer.Option("--questions", metavar="FILE", help="Lines of path and request.")],
        out: Annotated[Path, typer.Option("--out", metavar="FILE", help="For `health: {answers: FILE}`.")],
        site: Annotated[str, typer.Option("--site", help="primary or standby.")] = "primary",
    ) -> None:
        """Ask a site that answers rightly now, and keep its answers to compare with."""
        done = session.runtime().record_answers(endpoint, site, questions, out)
        told = f"{done['questions']} answers of the {site} in {out}"
        session.output.show(done, lambda console: console.print(told))


def _watch(session: Session, endpoint: str, *, act: bool, times: int) -> int:
    runtime, left, said = session.runtime(), times, ""
    while True:
        seen = runtime.watch_endpoint(endpoint)
        line = f"{seen['endpoint']}: served by {seen['traffic']}; {seen['problem'] or 'well'}"
        if line != said and not session.as_json:
            typer.echo(line)
            said = line
        if act and seen["due"] == "act":
            return _act(session, endpoint, seen)
        left -= 1
        if left == 0:
            session.output.show(seen, lambda _: None)
            return ObjectiveMissed.exit_code if seen["problem"] else 0


def _act(session: Session, endpoint: str, seen: dict[str, Any]) -> int:
    from dr_lib.cli import moving

    reason = f"by itself: {seen['problem']}"
    named = {"planned": False, "answers_may_differ": False, "yes": True, "dry_run": False}
    return moving.run(session, endpoint, "standby", reason, "latest-verified", **named)


def tell_status(console: Console, endpoints: list[dict[str, Any]]) -> None:
    """A line an endpoint, then what is wrong."""
    rows(console, HEADINGS, (_row(one) for one in endpoints))
    for one in endpoints:
        if one["problem"]:
            console.print(f"{one['endpoint']}: {one['problem']}")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    lease = one["lease"]
    held = f"{lease['holder']}, {lease['step']}" if lease and not lease["done"] else "free"
    stands = (one["sites"][site]["verdict"] for site in ("primary", "standby"))
    return one["endpoint"], one["traffic"], *stands, held, "BAD" if one["problem"] else "ok"

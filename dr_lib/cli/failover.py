"""`drctl failover`."""

from __future__ import annotations

import typer

from dr_lib.cli import moving
from dr_lib.cli.session import Session, command

EXAMPLES = (
    "drctl failover minilm-api --dry-run",
    "drctl failover minilm-api --reason 'us-east is gone'",
    "drctl failover minilm-api --reason 'us-east is serviced' --planned --yes --json",
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "failover", examples=EXAMPLES)
    def failover(
        session: Session,
        endpoint: moving.EndpointName,
        reason: moving.Reason = "",
        point: moving.Point = "latest-verified",
        *,
        planned: moving.Planned = False,
        answers_may_differ: moving.Differ = False,
        yes: moving.Yes = False,
        dry_run: moving.Dry = False,
    ) -> int:
        """Move an endpoint's traffic to its standby: restore, smoke test, load, prove, switch, prove again.

        Run it where the standby's directory is. Before the switch nothing changes for callers. Refused while the
        primary answers rightly, unless --planned, and while somebody else moves it. Killed, the same command goes on.
        """
        return moving.run(
            session,
            endpoint,
            "standby",
            reason,
            point,
            planned=planned,
            answers_may_differ=answers_may_differ,
            yes=yes,
            dry_run=dry_run,
        )

"""`drctl failback`."""

from __future__ import annotations

import typer

from dr_lib.cli import moving
from dr_lib.cli.session import Session, command

EXAMPLES = (
    "drctl failback minilm-api --dry-run",
    "drctl failback minilm-api --reason 'us-east is back'",
    "drctl failback minilm-api --reason 'us-east is back' --yes --json",
)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "failback", examples=EXAMPLES)
    def failback(
        session: Session,
        endpoint: moving.EndpointName,
        reason: moving.Reason = "",
        point: moving.Point = "latest-verified",
        *,
        answers_may_differ: moving.Differ = False,
        yes: moving.Yes = False,
        dry_run: moving.Dry = False,
    ) -> int:
        """Move an endpoint's traffic back to its primary, with the same proof as a failover.

        Run it where the primary's directory is. What the standby has begun to answer is finished first.
        """
        return moving.run(
            session,
            endpoint,
            "primary",
            reason,
            point,
            planned=True,
            answers_may_differ=answers_may_differ,
            yes=yes,
            dry_run=dry_run,
        )

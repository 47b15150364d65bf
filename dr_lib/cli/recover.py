"""`drctl recover`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dr_lib.cli.figures import pairs, rows, span
from dr_lib.cli.session import Session, command
from dr_lib.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

EXAMPLES = (
    "drctl recover --vault s3://dr-eu-west --key escrow.agekey --database env:NEW_DATABASE --to /srv/airflow",
    "drctl recover --vault file:///mnt/dr --key escrow.agekey --to /srv/airflow --no-start",
    "drctl recover --go --to /srv/airflow --reason 'the old machine is off; runs were looked at'",
    "drctl recover --stop --to /srv/airflow",
)


Place = Annotated[
    Path, typer.Option("--to", metavar="DIR", help="Where it is brought back; empty, or of a try before.")
]
Vault = Annotated[str | None, typer.Option("--vault", metavar="URL", help="Of one vault that is left.")]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="An age identity: ops or escrow.")]
Endpoint = Annotated[str | None, typer.Option("--endpoint", metavar="URL", help="Of its S3 server.")]
Reference = Annotated[str | None, typer.Option("--credentials", metavar="REF", help="env:PREFIX or profile:NAME.")]
Trusted = Annotated[
    list[str] | None, typer.Option("--trusted", metavar="ed25519:…", help="Who signed; else vault.json says.")
]
Point = Annotated[str, typer.Option("--point", help="A point of the orchestrator.")]
Database = Annotated[
    str | None, typer.Option("--database", metavar="REF", help="env:NAME or file:PATH of an empty database's URL.")
]
Packages = Annotated[
    str, typer.Option("--packages", help="install: those that were pinned; here: those of this Python.")
]
Port = Annotated[int, typer.Option("--port", help="Of the web interface, on this machine alone.")]
Executor = Annotated[str | None, typer.Option("--executor", help="Instead of the one that was.")]
Start = Annotated[bool, typer.Option("--start/--no-start", help="Start Airflow at the end.")]
Go = Annotated[bool, typer.Option("--go", help="Let it work: unpause what was awake, allow pruning.")]
Stop = Annotated[bool, typer.Option("--stop", help="End what --start started.")]
Reason = Annotated[str, typer.Option("--reason", help="Why it may; kept in the vaults.")]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "recover", examples=EXAMPLES)
    def recover(
        session: Session,
        to: Place,
        *,
        vault: Vault = None,
        key: Key = None,
        endpoint: Endpoint = None,
        credentials: Reference = None,
        trusted: Trusted = None,
        point: Point = "latest",
        database: Database = None,
        packages: Packages = "install",
        port: Port = 8080,
        executor: Executor = None,
        start: Start = True,
        go: Go = False,
        stop: Stop = False,
        reason: Reason = "",
    ) -> None:
        """Bring the orchestrator back from a vault and a key: its database, connections, DAGs, catalog, packages.

        It comes back with every DAG paused and pruning refused, runs in flight are marked and not repeated, until a
        person says --go. Killed, the same command goes on.
        """
        from dr_lib import reviving
        from dr_lib.use_cases.bare_vault import Address

        if go or stop:
            if go and not reason:
                raise UsageError("--go needs a reason", hint="--reason 'what you looked at, and who you are'")
            done = reviving.go(to, reason) if go else reviving.stop(to)
            session.output.show(done, partial(_tell_gone, done=done))
            return
        if vault is None or key is None:
            raise UsageError("--vault and --key say where from", hint="drctl recover --help")
        if packages not in ("install", "here"):
            raise UsageError(f"--packages {packages!r} is not known", hint="install or here")
        address = Address(vault, key, endpoint, credentials, tuple(trusted or ()))
        order = reviving.Order(
            address, to, point, database, "here" if packages == "here" else "install", port, executor, start
        )
        progress = session.progress()
        try:
            found = reviving.recover(order, progress=progress)
        finally:
            progress.finish()
        session.output.show(found, partial(_tell, found=found))


def _tell(console: Console, found: dict[str, Any]) -> None:
    counted = ", ".join(f"{count} {name}" for name, count in found["rows"].items() if name in ("dag", "dag_run"))
    signers = ", ".join(found["signers"] or ["nobody"])
    named = "whom you named" if found["pinned"] else "named by the vault itself: do you know them? --trusted"
    facts = [
        ("recovered", f"{found['point']} from {found['region']}, saved {span(found['age_s'])} ago"),
        ("signed by", f"{signers}, {named}"),
        ("term", f"{found['term']}: an Airflow of an earlier one does nothing any more"),
        ("database", f"{counted}; {len(found['connections'])} connections open"),
        ("catalog", f"{found['catalog'].get('points', 0)} points of {found['catalog']['assets']} assets"),
        ("paused", f"{len(found['awake'])} DAGs that were awake, until you say go"),
    ]
    facts += [("fewer", f"{table}: {count} rows") for table, count in found["fewer"].items()]
    facts += [
        ("dropped", f"{count} of {table}, which would have started runs") for table, count in found["dropped"].items()
    ]
    facts += [("problem", text) for text in found["catalog"]["problems"]]
    if found["url"]:
        facts.append(("running", f"{found['url']}, on this machine alone"))
    pairs(console, facts)
    if found["marked"]:
        console.print("\nWhat was running when it was lost; marked as failed, and not repeated:")
        body = [(one["dag"], one["run"], one["state"], ", ".join(one["tasks"]) or "-") for one in found["marked"]]
        rows(console, ("DAG", "run", "was", "tasks at work"), body)
    console.print("\nNothing runs and nothing is pruned before a person says go:")
    console.print(found["go"], soft_wrap=True)


def _tell_gone(console: Console, done: dict[str, Any]) -> None:
    if "ended" in done:
        console.print(f"{done['ended']} processes ended")
        return
    console.print(f"term {done['term']} works since {done['at'][:19]}; {done['unpaused']} DAGs unpaused")

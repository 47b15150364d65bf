"""From the name of credentials in `dr.yaml` to the credentials, at the last moment and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dr_lib.errors import UsageError


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs S3 requests. All None but `profile`, or all None: the AWS SDK's own chain is asked.

    The secret parts are left out of `repr`, so that no log can show them.
    """

    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    profile: str | None = None


Connections = Callable[[str], Credentials]
"""Resolves an Airflow connection id; `UsageError` without such a connection or its secret. One that keeps a key of the
vaults has that as `secret_key`, and need not have an access key."""


def resolve(
    name: str | None, label: str, *, environ: Mapping[str, str], connections: Connections | None
) -> Credentials:
    """The credentials that `name` (`env:…`, `profile:…`, `airflow:…`, None) stands for.

    Raises `UsageError` naming the environment variable that is missing, or the form that is wrong. Nothing of a
    secret is ever part of a message.
    """
    if name is None:
        return Credentials()
    kind, _, argument = name.partition(":")
    if kind == "env" and argument:
        return _from_environment(argument, label, environ)
    if kind == "profile" and argument:
        return Credentials(profile=argument)
    if kind == "airflow" and argument:
        return _from_connection(argument, label, connections)
    raise UsageError(
        f"unknown credentials {kind!r}", where=label, hint="use env:PREFIX, profile:NAME or airflow:CONN_ID"
    )


def _from_environment(prefix: str, label: str, environ: Mapping[str, str]) -> Credentials:
    names = (f"{prefix}_ACCESS_KEY_ID", f"{prefix}_SECRET_ACCESS_KEY")
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise UsageError(
            f"the environment variable {' and '.join(missing)} is not set", where=label, hint="set it and run it again"
        )
    return Credentials(environ[names[0]], environ[names[1]], environ.get(f"{prefix}_SESSION_TOKEN") or None)


def _from_connection(connection: str, label: str, connections: Connections | None) -> Credentials:
    if connections is None:
        raise UsageError(
            f"the credentials airflow:{connection} can be read only inside Airflow",
            where=label,
            hint="use env:PREFIX where no Airflow runs",
        )
    found = connections(connection)
    if not found.access_key:
        raise UsageError(
            "the Airflow connection holds no access key",
            where=f"{label}, airflow:{connection}",
            hint="set its login to the access key",
        )
    return found

"""Secrets of the form `airflow:CONN_ID`, read from Airflow's connections when a task asks for them."""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from dr_lib.errors import UsageError
from dr_lib.storage.credentials import Credentials


def connection_credentials(conn_id: str) -> Credentials:
    """The keys of a region, or, with its password alone, a key of the vaults: `access_key` is None then.

    Login and password are the access key and the secret key; the extras `aws_access_key_id`, `aws_secret_access_key`
    and `aws_session_token` are read too. `UsageError` when there is no such connection or it holds no secret. Airflow
    masks passwords that it hands out in every log.
    """
    connection = _connection(conn_id)
    extra = connection.extra_dejson
    secret_key = connection.password or extra.get("aws_secret_access_key")
    if not secret_key:
        raise UsageError(
            "the Airflow connection holds no secret",
            where=f"airflow:{conn_id}",
            hint="set its password to the secret key, and for a region its login to the access key",
        )
    access_key = connection.login or extra.get("aws_access_key_id")
    return Credentials(access_key or None, secret_key, extra.get("aws_session_token"))


def _connection(conn_id: str) -> Connection:
    try:
        connection: Connection = Connection.get(conn_id)
    except AirflowNotFoundException as error:
        raise UsageError(
            "there is no such Airflow connection",
            where=f"airflow:{conn_id}",
            hint=f"airflow connections add {conn_id} --conn-type aws --conn-login KEY --conn-password SECRET; "
            "a key of the vaults needs no login",
        ) from error
    return connection

"""Credentials of the form `airflow:CONN_ID`, read from Airflow's connections when a task asks for them."""

from __future__ import annotations

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from dr_lib.errors import UsageError
from dr_lib.storage.credentials import Credentials


def connection_credentials(conn_id: str) -> Credentials:
    """The keys of the connection.

    Login and password are the access key and the secret key; the extras `aws_access_key_id`, `aws_secret_access_key`
    and `aws_session_token` are read too. `UsageError` when there is no such connection or a key is missing.
    """
    connection = _connection(conn_id)
    extra = connection.extra_dejson
    access_key = connection.login or extra.get("aws_access_key_id")
    secret_key = connection.password or extra.get("aws_secret_access_key")
    if not access_key or not secret_key:
        raise UsageError(
            "the Airflow connection holds no keys",
            where=f"airflow:{conn_id}",
            hint="set its login to the access key and its password to the secret key",
        )
    return Credentials(access_key, secret_key, extra.get("aws_session_token"))


def _connection(conn_id: str) -> Connection:
    try:
        connection: Connection = Connection.get(conn_id)
    except AirflowNotFoundException as error:
        raise UsageError(
            "there is no such Airflow connection",
            where=f"airflow:{conn_id}",
            hint=f"airflow connections add {conn_id} --conn-type aws --conn-login KEY --conn-password SECRET",
        ) from error
    return connection

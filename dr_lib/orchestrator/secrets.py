"""Airflow's connections and variables in clear, as they are read with its Fernet key: to be sealed at once."""

from __future__ import annotations

from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, text

from dr_lib.errors import UsageError
from dr_lib.model.orchestrator import FERNET_KEY

_HINT: Final = "save the orchestrator where Airflow's own settings are, with the key that it encrypts with"


def connections(connection: Connection, fernet_key: str) -> dict[str, dict[str, Any]]:
    """Every connection by its id, as `airflow connections import` takes them.

    `UsageError` (2) without the key that opens them.
    """
    rows = connection.execute(text("SELECT * FROM connection ORDER BY conn_id")).mappings()
    keys = _keys(fernet_key)
    found = {}
    for row in rows:
        where = f"connection {row['conn_id']}"
        found[str(row["conn_id"])] = {
            "conn_type": row["conn_type"],
            "description": row["description"],
            "host": row["host"],
            "login": row["login"],
            "password": _clear(row["password"], keys, where, sealed=row["is_encrypted"]),
            "schema": row["schema"],
            "port": row["port"],
            "extra": _clear(row["extra"], keys, where, sealed=row["is_extra_encrypted"]),
        }
    return found


def variables(connection: Connection, fernet_key: str) -> dict[str, str | None]:
    """Every variable by its key, as `airflow variables import` takes them."""
    rows = connection.execute(text("SELECT key, val, is_encrypted FROM variable ORDER BY key")).mappings()
    keys = _keys(fernet_key)
    return {r["key"]: _clear(r["val"], keys, f"variable {r['key']}", sealed=r["is_encrypted"]) for r in rows}


def _keys(text_of_keys: str) -> MultiFernet | None:
    try:
        found = [Fernet(key.strip()) for key in text_of_keys.split(",") if key.strip()]
    except ValueError as error:
        raise UsageError("this is no Fernet key", where=FERNET_KEY, hint=_HINT) from error
    return MultiFernet(found) if found else None


def _clear(value: str | None, keys: MultiFernet | None, where: str, *, sealed: object) -> str | None:
    if value is None or not sealed:
        return value
    if keys is None:
        raise UsageError("it is encrypted, and Airflow's Fernet key is not here", where=where, hint=_HINT)
    try:
        return keys.decrypt(value.encode()).decode()
    except InvalidToken as error:
        raise UsageError("Airflow's Fernet key that is here does not open it", where=where, hint=_HINT) from error

"""Secrets from Airflow's connections, by Airflow's own resolution of environment variables."""

from __future__ import annotations

import json

import pytest

from dr_lib.errors import UsageError
from dr_lib.keys import SecretSource, keyset
from dr_lib.model.protection import Encryption, Signing
from dr_lib.storage import credentials
from tests.keys import keys


def resolve(monkeypatch, **fields):
    from dr_airflow.connections import connection_credentials

    monkeypatch.setenv("AIRFLOW_CONN_VAULT", json.dumps({"conn_type": "aws", **fields}))
    return connection_credentials("vault")


def test_login_and_password_are_the_keys(monkeypatch):
    found = resolve(monkeypatch, login="key", password="secret")
    assert (found.access_key, found.secret_key, found.session_token) == ("key", "secret", None)


def test_the_extras_of_an_aws_connection_are_read(monkeypatch):
    extra = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "aws_session_token": "token"}
    found = resolve(monkeypatch, extra=extra)
    assert (found.access_key, found.secret_key, found.session_token) == ("key", "secret", "token")


def test_a_connection_without_keys_is_refused_by_its_name(monkeypatch):
    with pytest.raises(UsageError, match="airflow:vault"):
        resolve(monkeypatch, login="key")


def test_a_region_needs_the_access_key_too(monkeypatch):
    from dr_airflow.connections import connection_credentials

    resolve(monkeypatch, password="secret")
    with pytest.raises(UsageError, match=r"no access key.*\n?.*region one, airflow:vault"):
        credentials.resolve("airflow:vault", "region one", environ={}, connections=connection_credentials)


def test_a_password_alone_is_a_key_of_the_vaults(monkeypatch):
    from dr_airflow.connections import connection_credentials

    texts = {"IDENTITY": keys().operations, "WRITER": keys().writer, "SIGNER": keys().signer}
    for name, text in texts.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps({"conn_type": "generic", "password": text}))
    said = Encryption(tuple(keys().recipients), "airflow:identity", "airflow:writer")
    found = keyset(said, Signing("airflow:signer", (keys().public,)), SecretSource({}, connection_credentials))
    assert found.identities == (keys().operations,)
    assert found.writer
    assert found.signer.public == keys().public


def test_an_unknown_connection_is_refused_by_its_name():
    from dr_airflow.connections import connection_credentials

    with pytest.raises(UsageError, match="airflow:absent"):
        connection_credentials("absent")

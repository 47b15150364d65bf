"""Credentials from Airflow's connections, by Airflow's own resolution of environment variables."""

from __future__ import annotations

import json

import pytest

from dr_lib.errors import UsageError


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


def test_an_unknown_connection_is_refused_by_its_name():
    from dr_airflow.connections import connection_credentials

    with pytest.raises(UsageError, match="airflow:absent"):
        connection_credentials("absent")

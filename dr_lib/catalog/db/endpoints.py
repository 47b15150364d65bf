"""Endpoints as they were last seen, so that whoever asks does not wait for a health check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace

from sqlalchemy import Connection, delete, insert, select

from dr_lib.catalog.db.tables import ENDPOINTS
from dr_lib.model.serving import SeenEndpoint


def seen_endpoints(connection: Connection) -> tuple[SeenEndpoint, ...]:
    """All of them, by name."""
    rows = connection.execute(select(ENDPOINTS).order_by(ENDPOINTS.c.endpoint)).mappings()
    return tuple(SeenEndpoint(**row) for row in rows)


def put_endpoint(connection: Connection, seen: SeenEndpoint) -> SeenEndpoint:
    """Put `seen` in the place of what was known of the endpoint. As it stands there then: failing since the first of
    the looks in a row that found a problem."""
    known = connection.scalar(select(ENDPOINTS.c.failing_since).where(ENDPOINTS.c.endpoint == seen.endpoint))
    now = replace(seen, failing_since=(known or seen.observed_at) if seen.problem else None)
    connection.execute(delete(ENDPOINTS).where(ENDPOINTS.c.endpoint == seen.endpoint))
    connection.execute(insert(ENDPOINTS), [asdict(now)])
    return now


def forget_endpoints(connection: Connection, named: Iterable[str]) -> None:
    """Remove those that are not named any more."""
    connection.execute(delete(ENDPOINTS).where(ENDPOINTS.c.endpoint.not_in(sorted(named))))
